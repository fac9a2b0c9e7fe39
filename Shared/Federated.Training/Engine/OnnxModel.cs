using Federated.Shared.Models;

namespace Federated.Training.Engine;

/// <summary>
/// A model package in ONNX Runtime. A graph is opened when it is first needed: a client that never evaluates does not pay for the
/// evaluation graph, a server that never trains not for the gradient graph. Thread-safe; dispose it after its workspaces.
/// </summary>
public sealed class OnnxModel : ITrainableModel
{
    private readonly Lock _opening = new();
    private readonly OnnxEngineOptions _options;
    private byte[]? _gradientBytes;
    private byte[]? _evaluationBytes;
    private OnnxGraph? _gradientGraph;
    private OnnxGraph? _evaluationGraph;
    private volatile bool _disposed;

    private OnnxModel(PackageManifest manifest, byte[] gradientGraph, byte[] evaluationGraph, OnnxEngineOptions options)
    {
        Manifest = manifest;
        Layout = manifest.Layout;
        FeatureLength = manifest.FeatureLength;
        _gradientBytes = gradientGraph;
        _evaluationBytes = evaluationGraph;
        _options = options;
    }

    /// <inheritdoc/>
    public PackageManifest Manifest { get; }

    /// <inheritdoc/>
    public ParameterLayout Layout { get; }

    /// <summary>Elements of one example.</summary>
    internal int FeatureLength { get; }

    /// <summary>The graph of loss and gradient.</summary>
    internal OnnxGraph GradientGraph => Volatile.Read(ref _gradientGraph) is { } graph && !_disposed ? graph : OpenGradient();

    /// <summary>The graph of loss and right answers.</summary>
    internal OnnxGraph EvaluationGraph => Volatile.Read(ref _evaluationGraph) is { } graph && !_disposed ? graph : OpenEvaluation();

    /// <summary>Takes the files of a package. The graphs are opened on first use, or by the Prepare methods.</summary>
    /// <param name="manifest">The package's manifest.</param>
    /// <param name="gradientGraph">Bytes of <c>gradient.onnx</c>; kept until the graph is open.</param>
    /// <param name="evaluationGraph">Bytes of <c>evaluation.onnx</c>; kept until the graph is open.</param>
    /// <param name="options">How to run them.</param>
    /// <exception cref="ArgumentException">An option or the manifest's class count is out of range.</exception>
    public static OnnxModel Load(PackageManifest manifest, byte[] gradientGraph, byte[] evaluationGraph, OnnxEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(gradientGraph);
        ArgumentNullException.ThrowIfNull(evaluationGraph);
        ArgumentNullException.ThrowIfNull(options);
        if (options.IntraOpThreads is < 1 or > 256)
        {
            throw new ArgumentException($"The engine is to use {options.IntraOpThreads} threads an operator; allowed: 1 to 256.", nameof(options));
        }

        return manifest.Classes >= 1
            ? new OnnxModel(manifest, gradientGraph, evaluationGraph, options)
            : throw new ArgumentException($"Package '{manifest.Name}' has {manifest.Classes} classes; at least 1 is needed.", nameof(manifest));
    }

    /// <summary>Opens the gradient graph now.</summary>
    /// <exception cref="InvalidDataException">The graph cannot be run or does not fit the manifest; the message names what is wrong.</exception>
    public void PrepareTraining() => _ = GradientGraph;

    /// <summary>Opens the evaluation graph now.</summary>
    /// <exception cref="InvalidDataException">The graph cannot be run or does not fit the manifest; the message names what is wrong.</exception>
    public void PrepareEvaluation() => _ = EvaluationGraph;

    /// <inheritdoc/>
    public IModelWorkspace CreateWorkspace()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new OnnxWorkspace(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            _gradientGraph?.Dispose();
            _evaluationGraph?.Dispose();
            _gradientBytes = null;
            _evaluationBytes = null;
        }
    }

    private OnnxGraph OpenGradient()
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_gradientGraph is null)
            {
                IEnumerable<(string, IReadOnlyList<int>)> outputs = Layout.Parameters
                    .Select(p => (PackageManifest.GradientPrefix + p.Name, (IReadOnlyList<int>)p.Shape))
                    .Prepend((PackageManifest.LossOutput, []));
                Volatile.Write(ref _gradientGraph, OnnxGraph.Open(Manifest, "gradient.onnx", _gradientBytes!, outputs, _options));
                _gradientBytes = null;
            }

            return _gradientGraph;
        }
    }

    private OnnxGraph OpenEvaluation()
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_evaluationGraph is null)
            {
                IEnumerable<(string, IReadOnlyList<int>)> outputs = [(PackageManifest.LossOutput, []), (PackageManifest.CorrectOutput, [])];
                Volatile.Write(ref _evaluationGraph, OnnxGraph.Open(Manifest, "evaluation.onnx", _evaluationBytes!, outputs, _options));
                _evaluationBytes = null;
            }

            return _evaluationGraph;
        }
    }
}
