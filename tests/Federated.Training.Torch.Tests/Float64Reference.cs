using Federated.Modeling;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Quantization;
using Federated.Shared.Models;
using Federated.Training.Torch.Operators;
using TorchSharp;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Training.Torch.Tests;

/// <summary>
/// A package's evaluation graph in float64, differentiated by torch: sixteen digits in the place of seven, so that it tells rounding from a wrong gradient.
/// The graph is the package's own with every float32 made float64.
/// </summary>
internal sealed class Float64Reference : IDisposable
{
    private readonly PackageManifest _manifest;
    private readonly GraphBuilder _graph;
    private readonly TorchProgram _program;
    private readonly Dictionary<GraphValue, torch.Tensor> _constants;

    public Float64Reference(ModelPackage package)
    {
        _manifest = package.Manifest;
        torch.set_num_threads(1);
        ModelProto model = OnnxFile.Read(package.EvaluationGraph);
        ExternalWeights.Embed(model, _ => package.FrozenWeights);
        QuantizedBase.Widen(model);
        Widen(model.Graph);
        _graph = GraphFile.FromModel(model);
        _constants = _graph.Constants.ToDictionary(c => c, c => ElementTypes.ToTensor(c.Constant!, torch.CPU));
        _program = new TorchProgram(_graph, [PackageManifest.LossOutput], _constants);
    }

    /// <summary>The loss of some examples and its gradient: [P].</summary>
    public (double Loss, double[] Gradient) LossAndGradient(float[] adapter, IExampleSource examples, ReadOnlySpan<int> indices)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using HostBatch batch = new(_manifest);
        _ = batch.Fill(examples, indices);
        Dictionary<string, torch.Tensor> inputs = new(StringComparer.Ordinal)
        {
            [_manifest.Input.Name] = Wide(batch.Features),
            [PackageManifest.LabelsInput] = Wide(batch.Labels),
        };
        foreach (ParameterSpec parameter in _manifest.Layout.Parameters)
        {
            double[] values = [.. adapter.AsSpan(parameter.Offset, parameter.Length).ToArray().Select(v => (double)v)];
            inputs.Add(parameter.Name, torch.tensor(values, [.. parameter.Shape.Select(d => (long)d)], requires_grad: true));
        }

        torch.Tensor loss = _program.Run([.. _graph.Inputs.Select(i => inputs[i.Name])])[0];
        loss.backward();
        return (loss.item<double>(), [.. _manifest.Layout.Parameters.SelectMany(p => inputs[p.Name].grad!.contiguous().data<double>().ToArray())]);
    }

    /// <summary>
    /// The gradients at examples moved by as much as a few roundings in float32 do: [6][P]. How far they are from the exact one says how much of a difference a kink
    /// (ReLU, hard swish, greatest of a pool) explains, which has another gradient on either side.
    /// </summary>
    public double[][] GradientsNearby(float[] adapter, IExampleSource examples, int[] indices) =>
        [.. Enumerable.Range(0, 6).Select(i => LossAndGradient(adapter, new NearbyExamples(examples, (ulong)i), indices).Gradient)];

    public void Dispose()
    {
        foreach (torch.Tensor constant in _constants.Values)
        {
            constant.Dispose();
        }
    }

    private static torch.Tensor Wide(torch.Tensor tensor) => tensor.dtype == torch.ScalarType.Float32 ? tensor.to(torch.ScalarType.Float64) : tensor;

    private static void Widen(GraphProto graph)
    {
        foreach (TensorProto tensor in graph.Initializer)
        {
            Widen(tensor);
        }

        foreach (ValueInfoProto input in graph.Input.Where(i => i.Type.TensorType.ElemType == (int)DataType.Float))
        {
            input.Type.TensorType.ElemType = (int)DataType.Double;
        }

        foreach (AttributeProto attribute in graph.Node.SelectMany(n => n.Attribute))
        {
            if (attribute.Name == "to" && attribute.I == (int)DataType.Float)
            {
                attribute.I = (int)DataType.Double;
            }
            else if (attribute.T is { } tensor)
            {
                Widen(tensor);
            }
        }
    }

    private static void Widen(TensorProto tensor)
    {
        if (tensor.DataType != (int)DataType.Float)
        {
            return;
        }

        TensorProto wide = TensorContent.Floating(DataType.Double, [.. TensorContent.ReadFloat(tensor).Select(v => (double)v)], [.. tensor.Dims]);
        tensor.FloatData.Clear();
        tensor.DataType = wide.DataType;
        tensor.RawData = wide.RawData;
    }
}
