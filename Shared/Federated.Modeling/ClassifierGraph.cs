using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling;

/// <summary>Layers on top of a graph builder: what the model builders are written in.</summary>
internal sealed class ClassifierGraph
{
    private readonly List<TrainableTensor> _parameters = [];
    private readonly ImmutableArray<int> _featureShape;
    private readonly string _name;

    public ClassifierGraph(string name, ImmutableArray<int> featureShape)
    {
        _name = name;
        _featureShape = featureShape;
        Graph = new GraphBuilder(name);
        Features = Graph.Input(
            PackageManifest.FeaturesInput, DataType.Float, TensorShape.Of([Dimension.Batch, .. featureShape.Select(d => Dimension.Of(d))]));
        Labels = Graph.Input(PackageManifest.LabelsInput, DataType.Int64, TensorShape.Of(Dimension.Batch));
    }

    public GraphBuilder Graph { get; }

    /// <summary>float32 [N, feature shape…].</summary>
    public GraphValue Features { get; }

    /// <summary>int64 [N].</summary>
    public GraphValue Labels { get; }

    /// <summary>x · W + b, x [N, in], W [in, out], b [out].</summary>
    public GraphValue Dense(string name, GraphValue x, int units, Initialization initialization)
    {
        long inputs = x.Shape[1].Size;
        GraphValue weight = Parameter($"{name}.weight", [inputs, units], initialization, inputs, units);
        GraphValue bias = Parameter($"{name}.bias", [units], Initialization.Zero, inputs, units);
        return Graph.Append(name, "Gemm", NodeAttributes.None, [x, weight, bias], 1).Outputs[0]!;
    }

    /// <summary>A square convolution of stride 1 that keeps height and width (TensorFlow's SAME for an odd kernel).</summary>
    public GraphValue ConvolutionSame(string name, GraphValue x, int filters, int kernel)
    {
        long channels = x.Shape[1].Size;
        long pad = kernel / 2;
        GraphValue weight = Parameter(
            $"{name}.weight", [filters, channels, kernel, kernel], Initialization.He, channels * kernel * kernel, (long)filters * kernel * kernel);
        GraphValue bias = Parameter($"{name}.bias", [filters], Initialization.Zero, channels, filters);
        NodeAttributes attributes = NodeAttributes.None.With("kernel_shape", [kernel, kernel]).With("pads", [pad, pad, pad, pad]);
        return Graph.Append(name, "Conv", attributes, [x, weight, bias], 1).Outputs[0]!;
    }

    /// <summary>Maximum of each 2×2 block.</summary>
    public GraphValue MaxPool2(GraphValue x) =>
        Graph.Node("MaxPool", NodeAttributes.None.With("kernel_shape", [2, 2]).With("strides", [2, 2]), x);

    /// <summary>Adds the loss.</summary>
    /// <param name="scores">[N, classes].</param>
    public ForwardModel Classify(GraphValue scores) => new()
    {
        Name = _name,
        Graph = Graph,
        FeatureShape = _featureShape,
        Labels = Labels,
        Scores = scores,
        Loss = Graph.Node("SoftmaxCrossEntropyLoss", scores, Labels),
        Parameters = [.. _parameters],
    };

    private GraphValue Parameter(string name, ImmutableArray<long> shape, Initialization initialization, long fanIn, long fanOut)
    {
        GraphValue value = Graph.Input(name, DataType.Float, TensorShape.OfSizes(shape));
        _parameters.Add(new TrainableTensor(value, initialization, fanIn, fanOut));
        return value;
    }
}
