using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling;

/// <summary>Layers on top of a graph builder: what the model builders are written in.</summary>
internal sealed class LayerGraph
{
    private readonly List<TrainableTensor> _parameters = [];
    private readonly string _name;
    private readonly ReadOnlyMemory<float>? _frozen;
    private readonly Regex? _trained;
    private int _used;

    /// <summary>An empty graph.</summary>
    /// <param name="name">For people.</param>
    /// <param name="featureShape">Shape of one example.</param>
    /// <param name="frozen">The weights of all layers, in the order they are added; they become constants. Null: they are trained.</param>
    /// <param name="type">Pixels and the like, or tokens.</param>
    public LayerGraph(string name, ImmutableArray<int> featureShape, FrozenWeights? frozen, DataType type = DataType.Float)
    {
        _name = name;
        _frozen = frozen?.Values;
        _trained = frozen?.Trained;
        Graph = new GraphBuilder(name);
        Features = Graph.Input(
            PackageManifest.FeaturesInput, type, TensorShape.Of([Dimension.Batch, .. featureShape.Select(d => Dimension.Of(d))]));
    }

    public GraphBuilder Graph { get; }

    /// <summary>float32 or int64 [N, feature shape…].</summary>
    public GraphValue Features { get; }

    /// <summary>x · Wᵀ (+ b), x [rows, in], W [out, in] as PyTorch stores it, b [out].</summary>
    public GraphValue Linear(string name, GraphValue x, int units, Initialization initialization, bool bias)
    {
        long inputs = x.Shape[1].Size;
        GraphValue weight = Parameter($"{name}.weight", [units, inputs], initialization, inputs, units);
        GraphValue? offset = bias ? Parameter($"{name}.bias", [units], Initialization.Zero, inputs, units) : null;
        return Graph.Append(name, "Gemm", NodeAttributes.None.With("transB", 1), [x, weight, offset], 1).Outputs[0]!;
    }

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

    /// <summary>A float32 constant.</summary>
    /// <param name="values">Row-major.</param>
    /// <param name="shape">Dimensions.</param>
    public GraphValue Constant(ReadOnlySpan<double> values, params ReadOnlySpan<long> shape) =>
        Graph.Constant(TensorContent.Floating(DataType.Float, values, shape));

    /// <summary>Another shape of the same elements; −1 for what is left.</summary>
    public GraphValue Reshape(GraphValue x, params ReadOnlySpan<long> shape) => Graph.Node("Reshape", x, Graph.Int64Vector(shape));

    /// <summary>The axes in another order.</summary>
    public GraphValue Transpose(GraphValue x, params ReadOnlySpan<long> order) => Graph.Node("Transpose", NodeAttributes.None.With("perm", [.. order]), x);

    /// <summary>The model whose scores are these: [N, classes], or [N, positions, vocabulary] for the next token.</summary>
    public ForwardModel Model(GraphValue scores, ModelTask task = ModelTask.Classification) => new()
    {
        Name = _name,
        Graph = Graph,
        Task = task,
        Features = Features,
        Scores = scores,
        Parameters = [.. _parameters],
        FullModelParameters = _frozen is null ? _parameters.Sum(p => p.Value.Shape.KnownProduct) : _used,
    };

    /// <summary>A weight: an input when it is trained, a constant of its own when it is frozen, whatever others hold.</summary>
    public GraphValue Parameter(string name, ImmutableArray<long> shape, Initialization initialization, long fanIn, long fanOut)
    {
        if (_frozen is { } weights)
        {
            int length = checked((int)shape.Aggregate(1L, (product, size) => product * size));
            ReadOnlyMemory<float> start = weights.Slice(_used, length);
            _used += length;
            if (_trained?.IsMatch(name) != true)
            {
                TensorProto tensor = new() { DataType = (int)DataType.Float, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(start.Span)) };
                tensor.Dims.AddRange(shape);
                return Graph.Stored(tensor, name);
            }

            return Trained(new TrainableTensor(Input(), Initialization.Given, fanIn, fanOut) { Values = start });
        }

        return Trained(new TrainableTensor(Input(), initialization, fanIn, fanOut));

        GraphValue Input() => Graph.Input(name, DataType.Float, TensorShape.OfSizes(shape));

        GraphValue Trained(TrainableTensor parameter)
        {
            _parameters.Add(parameter);
            return parameter.Value;
        }
    }
}
