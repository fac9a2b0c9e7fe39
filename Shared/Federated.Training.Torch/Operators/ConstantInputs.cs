using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>Inputs that must be known when a model is loaded: axes and target shapes.</summary>
internal static class ConstantInputs
{
    /// <summary>The int64 values of a constant input.</summary>
    /// <param name="node">The node.</param>
    /// <param name="input">Which input.</param>
    /// <param name="what">What it means, for the error.</param>
    /// <exception cref="OnnxFormatException">The input is missing, or computed in the graph.</exception>
    public static long[] Read(GraphNode node, int input, string what) => TensorContent.ReadInt64(
        node.Input(input).Constant ?? throw node.Refuse($"input {input}, {what}, is computed in the graph; the torch engine takes a constant"));

    /// <summary>The int64 values of an input: once where it is a constant, at each run where the graph computes it.</summary>
    public static Func<IReadOnlyList<Tensor?>, long[]> ReadOrRun(GraphNode node, int input)
    {
        if (node.Input(input).Constant is { } constant)
        {
            long[] values = TensorContent.ReadInt64(constant);
            return _ => values;
        }

        return inputs => inputs[input]!.to(ScalarType.Int64).cpu().data<long>().ToArray();
    }
}
