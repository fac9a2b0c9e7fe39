using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Quantization;
using Federated.Shared.Models;
using Federated.Training.Torch.Native;
using Federated.Training.Torch.Operators;
using static TorchSharp.torch;

namespace Federated.Training.Torch;

/// <summary>
/// A model package in torch: interprets the package's evaluation graph with torch's operators, one by one, and lets torch's automatic
/// differentiation (reverse mode, eager) find the gradient of <c>loss</c>; the package's gradient graph is not used. So it is the reference the
/// gradient graphs are tested against, and the way onto CUDA. Thread-safe; each training thread has a workspace of its own.
/// </summary>
public sealed class TorchModel : ITrainableModel
{
    private readonly Dictionary<GraphValue, Tensor> _constants = [];

    private TorchModel(PackageManifest manifest, GraphBuilder graph, Device device)
    {
        Manifest = manifest;
        Device = device;
        foreach (GraphValue constant in graph.Constants)
        {
            _constants.Add(constant, ElementTypes.ToTensor(constant.Constant!, device));
        }

        InputNames = [.. graph.Inputs.Select(i => i.Name)];
        LossProgram = new TorchProgram(graph, [PackageManifest.LossOutput], _constants);
        ScoresProgram = graph.Outputs.Any(output => output.Name == PackageManifest.ScoresOutput) ? new TorchProgram(graph, [PackageManifest.ScoresOutput], _constants) : null;
        EvaluationProgram = new TorchProgram(graph, [PackageManifest.LossOutput, PackageManifest.ScoreOutput], _constants);
    }

    /// <inheritdoc/>
    public PackageManifest Manifest { get; }

    /// <inheritdoc/>
    public ParameterLayout Layout => Manifest.Layout;

    /// <summary>Where the tensors live.</summary>
    internal Device Device { get; }

    /// <summary>The graph's inputs in the order its programs take them.</summary>
    internal IReadOnlyList<string> InputNames { get; }

    /// <summary>Gives the loss alone.</summary>
    internal TorchProgram LossProgram { get; }

    /// <summary>Gives the loss and the score.</summary>
    internal TorchProgram EvaluationProgram { get; }

    /// <summary>Gives the scores; null for a package that was made before graphs gave them.</summary>
    internal TorchProgram? ScoresProgram { get; }

    /// <summary>Loads a package's evaluation graph.</summary>
    /// <param name="manifest">The package's manifest.</param>
    /// <param name="evaluationGraph"><c>evaluation.onnx</c>; a file if the package has frozen weights.</param>
    /// <param name="options">Threads and device.</param>
    /// <exception cref="OnnxFormatException">
    /// The bytes are no ONNX model, the graph does not fit the manifest, or it holds an operator the engine does not have; the message names the
    /// node and its type.
    /// </exception>
    /// <exception cref="ArgumentException">The options are out of range, or the device is not available.</exception>
    /// <exception cref="PlatformNotSupportedException">torch does not load on this system.</exception>
    public static TorchModel Load(PackageManifest manifest, GraphSource evaluationGraph, TorchEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(evaluationGraph);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Threads < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Threads, "The torch engine needs at least 1 thread.");
        }

        GraphBuilder graph = GraphFile.FromModel(Read(evaluationGraph));
        CheckInputs(manifest, graph);
        Device device = TorchLibrary.Open(options.Device);
        set_num_threads(options.Threads);
        return new TorchModel(manifest, graph, device);
    }

    /// <inheritdoc/>
    public IModelWorkspace CreateWorkspace() => new TorchWorkspace(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor constant in _constants.Values)
        {
            constant.Dispose();
        }
    }

    private static void CheckInputs(PackageManifest manifest, GraphBuilder graph)
    {
        Dictionary<string, (TensorProto.Types.DataType Type, TensorShape Shape)> expected = new(StringComparer.Ordinal)
        {
            [manifest.Input.Name] = Batch(manifest.Input.ElementType, manifest.Input.Shape),
            [PackageManifest.LabelsInput] = Batch(manifest.Labels.ElementType, manifest.Labels.Shape),
        };
        foreach (ParameterSpec parameter in manifest.Layout.Parameters)
        {
            expected.Add(parameter.Name, (TensorProto.Types.DataType.Float, TensorShape.OfSizes(parameter.Shape.Select(d => (long)d))));
        }

        foreach (GraphValue input in graph.Inputs)
        {
            if (!expected.Remove(input.Name, out (TensorProto.Types.DataType Type, TensorShape Shape) wanted))
            {
                throw new OnnxFormatException($"Input '{input.Name}' of the graph is neither features, labels nor a parameter of the manifest.");
            }

            if (!Fits(input.Shape, wanted.Shape))
            {
                throw new OnnxFormatException($"Input '{input.Name}' of the graph has shape {input.Shape}; the manifest says {wanted.Shape}.");
            }

            if (input.ElementType != wanted.Type)
            {
                throw new OnnxFormatException($"Input '{input.Name}' of the graph holds {input.ElementType}; the manifest says {wanted.Type}.");
            }
        }

        if (expected.Count > 0)
        {
            throw new OnnxFormatException($"The graph lacks the inputs {string.Join(", ", expected.Keys.Order(StringComparer.Ordinal))} that the manifest lists.");
        }
    }

    private static ModelProto Read(GraphSource source)
    {
        ModelProto model = OnnxFile.Read(source.Path is { } path ? File.ReadAllBytes(path) : source.Content!);
        if (source.Path is { } file)
        {
            ExternalWeights.EmbedFrom(model, Path.GetDirectoryName(Path.GetFullPath(file))!);
        }

        QuantizedBase.Widen(model);
        return model;
    }

    private static (TensorProto.Types.DataType Type, TensorShape Shape) Batch(ElementType type, IReadOnlyList<int> shape) => (
        type == ElementType.Float32 ? TensorProto.Types.DataType.Float : TensorProto.Types.DataType.Int64,
        TensorShape.Of([Dimension.Batch, .. shape.Select(d => Dimension.Of(d))]));

    /// <summary>A symbol, whatever its name, stands for the batch; known sizes must be equal.</summary>
    private static bool Fits(TensorShape actual, TensorShape expected) =>
        actual.Rank == expected.Rank && actual.Dimensions.Zip(expected.Dimensions).All(d => d.First.IsSymbolic == d.Second.IsSymbolic && d.First.Size == d.Second.Size);
}
