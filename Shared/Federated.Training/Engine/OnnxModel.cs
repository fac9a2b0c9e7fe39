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
    private GraphSource? _gradientSource;
    private GraphSource? _evaluationSource;
    private OnnxGraph? _gradientGraph;
    private OnnxGraph? _evaluationGraph;
    private volatile bool _disposed;

    private OnnxModel(PackageManifest manifest, GraphSource gradientGraph, GraphSource evaluationGraph, OnnxEngineOptions options)
    {
        Manifest = manifest;
        Layout = manifest.Layout;
        _gradientSource = gradientGraph;
        _evaluationSource = evaluationGraph;
        _options = options;
    }

    /// <inheritdoc/>
    public PackageManifest Manifest { get; }

    /// <inheritdoc/>
    public ParameterLayout Layout { get; }

    /// <summary>The graph of loss and gradient.</summary>
    internal OnnxGraph GradientGraph => Volatile.Read(ref _gradientGraph) is { } graph && !_disposed ? graph : OpenGradient();

    /// <summary>The graph of loss and score.</summary>
    internal OnnxGraph EvaluationGraph => Volatile.Read(ref _evaluationGraph) is { } graph && !_disposed ? graph : OpenEvaluation();

    /// <summary>Takes the files of a package. The graphs are opened on first use, or by the Prepare methods.</summary>
    /// <param name="manifest">The package's manifest.</param>
    /// <param name="gradientGraph"><c>gradient.onnx</c>; bytes are kept until the graph is open.</param>
    /// <param name="evaluationGraph"><c>evaluation.onnx</c>; bytes are kept until the graph is open.</param>
    /// <param name="options">How to run them.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a graph with frozen weights is given as bytes.</exception>
    public static OnnxModel Load(PackageManifest manifest, GraphSource gradientGraph, GraphSource evaluationGraph, OnnxEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(gradientGraph);
        ArgumentNullException.ThrowIfNull(evaluationGraph);
        ArgumentNullException.ThrowIfNull(options);
        if (options.IntraOpThreads is < 1 or > 256)
        {
            throw new ArgumentException($"The engine is to use {options.IntraOpThreads} threads an operator; allowed: 1 to 256.", nameof(options));
        }

        if (manifest.FrozenWeights.Count > 0 && (gradientGraph.Content is { Length: > 0 } || evaluationGraph.Content is { Length: > 0 }))
        {
            throw new ArgumentException(
                $"Package '{manifest.Name}' has frozen weights; give its graphs as files with the weights beside them.", nameof(manifest));
        }

        return new OnnxModel(manifest, gradientGraph, evaluationGraph, options);
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
            _gradientSource = null;
            _evaluationSource = null;
        }
    }

    private OnnxGraph OpenGradient()
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_gradientGraph is null)
            {
                IEnumerable<(string, IReadOnlyList<int>)> outputs = Layout.Parameters.Where((_, i) => Manifest.Parameters[i].HasGradient)
                    .Select(p => (PackageManifest.GradientPrefix + p.Name, (IReadOnlyList<int>)p.Shape))
                    .Prepend((PackageManifest.LossOutput, []));
                Volatile.Write(ref _gradientGraph, OnnxGraph.Open(Manifest, "gradient.onnx", _gradientSource!, outputs, trains: true, _options));
                _gradientSource = null;
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
                IEnumerable<(string, IReadOnlyList<int>)> outputs = [(PackageManifest.LossOutput, []), (PackageManifest.ScoreOutput, [])];
                Volatile.Write(ref _evaluationGraph, OnnxGraph.Open(Manifest, "evaluation.onnx", _evaluationSource!, outputs, trains: false, _options));
                _evaluationSource = null;
            }

            return _evaluationGraph;
        }
    }
}
