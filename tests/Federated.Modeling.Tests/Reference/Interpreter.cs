using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Reference;

/// <summary>
/// Runs a graph in float64, one plain loop an operator. It is the slow, readable twin of ONNX Runtime, whose kernels are mostly float32: central
/// differences need the digits.
/// </summary>
internal static class Interpreter
{
    public static IReadOnlyDictionary<GraphValue, Tensor> Run(GraphBuilder graph, IReadOnlyDictionary<string, Tensor> feeds)
    {
        Dictionary<GraphValue, Tensor> values = [];
        foreach (GraphValue input in graph.Inputs)
        {
            values.Add(input, feeds[input.Name]);
        }

        foreach (GraphValue constant in graph.Constants)
        {
            values.Add(constant, Read(constant.Constant!));
        }

        foreach (GraphNode node in graph.Nodes)
        {
            Tensor?[] inputs = [.. node.Inputs.Select(i => i is null ? null : values[i])];
            IReadOnlyList<Tensor> outputs = Operators.Run(node, inputs!);
            for (int i = 0; i < node.Outputs.Length; i++)
            {
                if (node.Outputs[i] is { } output)
                {
                    AssertShape(output, outputs[i]);
                    values.Add(output, outputs[i]);
                }
            }
        }

        return values;
    }

    /// <summary>Shape inference must agree with what a run gives.</summary>
    private static void AssertShape(GraphValue value, Tensor actual)
    {
        Assert.Equal(value.Shape.Rank, actual.Rank);
        for (int i = 0; i < actual.Rank; i++)
        {
            Assert.True(value.Shape[i].IsSymbolic || value.Shape[i].Size == actual.Shape[i], $"{value} came out as [{string.Join(", ", actual.Shape)}].");
        }
    }

    public static Tensor Read(TensorProto content)
    {
        double[] values = (DataType)content.DataType switch
        {
            DataType.Float => [.. TensorContent.ReadFloat(content).Select(v => (double)v)],
            DataType.Double => TensorContent.ReadDouble(content),
            DataType.Int32 => [.. TensorContent.ReadInt32(content).Select(v => (double)v)],
            DataType.Bool => [.. TensorContent.ReadBool(content).Select(v => v ? 1d : 0d)],
            _ => [.. TensorContent.ReadInt64(content).Select(v => (double)v)],
        };
        return new Tensor(values, [.. content.Dims.Select(d => (int)d)]);
    }
}
