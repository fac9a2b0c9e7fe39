using Federated.Shared.Models;
using Microsoft.ML.OnnxRuntime;

namespace Federated.Training.Engine;

/// <summary>
/// One thread's pinned arrays, bound to the graphs once a batch size. A step of a size seen before allocates nothing on the
/// managed heap. The batch is staged in one buffer of the largest size seen; when that grows, bindings are made anew.
/// </summary>
internal sealed class OnnxWorkspace : IModelWorkspace
{
    /// <summary>Most bindings kept: clients that train on all their examples at once each bring a batch size of their own.</summary>
    private const int MaxBindings = 64;

    private readonly OnnxModel _model;
    private readonly PinnedBuffer<float> _adapter;
    private readonly PinnedBuffer<float> _loss = new(1);
    private readonly PinnedBuffer<float> _score = new(1);
    private readonly Dictionary<int, OrtIoBinding> _gradientBindings = [];
    private readonly Dictionary<int, OrtIoBinding> _evaluationBindings = [];
    private PinnedBuffer<float>? _gradient;
    private readonly StagedBatch _batch;
    private bool _disposed;

    public OnnxWorkspace(OnnxModel model)
    {
        _model = model;
        _adapter = new PinnedBuffer<float>(model.Layout.Length);
        _batch = new StagedBatch(model.Manifest);
    }

    public Span<float> Adapter => _adapter.Span;

    // Evaluation needs no gradient: it is allocated by whoever trains.
    public Span<float> Gradient => (_gradient ??= new PinnedBuffer<float>(_model.Layout.Length)).Span;

    public float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        OnnxGraph graph = _model.GradientGraph;
        _ = Stage(examples, indices);
        if (!_gradientBindings.TryGetValue(indices.Length, out OrtIoBinding? binding))
        {
            binding = Keep(_gradientBindings, indices.Length, BindGradient(graph, indices.Length));
        }

        graph.Run(binding);
        GC.KeepAlive(this);
        return _loss.Span[0];
    }

    public EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        OnnxGraph graph = _model.EvaluationGraph;
        long counted = Stage(examples, indices);
        if (!_evaluationBindings.TryGetValue(indices.Length, out OrtIoBinding? binding))
        {
            binding = Keep(_evaluationBindings, indices.Length, BindEvaluation(graph, indices.Length));
        }

        graph.Run(binding);
        GC.KeepAlive(this);
        return EvaluationSum.OfBatch(indices.Length, counted, _loss.Span[0], _score.Span[0]);
    }

    public void Score(IExampleSource examples, ReadOnlySpan<int> indices, Span<float> scores)
    {
        OnnxGraph graph = _model.EvaluationGraph;
        if (!graph.Gives(PackageManifest.ScoresOutput))
        {
            throw MissingScores.Of(_model.Manifest);
        }

        int length = checked(indices.Length * _model.Manifest.ScoresLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(scores.Length, length);
        _ = Stage(examples, indices);

        // Seldom asked for, and mostly of one example: nothing is kept.
        PinnedBuffer<float> all = new(length);
        long[] shape = graph.BatchShape(PackageManifest.ScoresOutput, indices.Length);
        using OrtIoBinding binding = Bind(graph, indices.Length, bound =>
        {
            using OrtValue value = PinnedViews.Of(all, 0, length, shape);
            bound.BindOutput(PackageManifest.ScoresOutput, value);
        });
        graph.Run(binding);
        GC.KeepAlive(this);
        all.Span.CopyTo(scores);
    }

    public void Dispose()
    {
        _disposed = true;
        Clear(_gradientBindings);
        Clear(_evaluationBindings);
    }

    private static void Clear(Dictionary<int, OrtIoBinding> bindings)
    {
        foreach (OrtIoBinding binding in bindings.Values)
        {
            binding.Dispose();
        }

        bindings.Clear();
    }

    private long Stage(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int count = indices.Length;
        if (count == 0)
        {
            throw new ArgumentException("A batch has at least 1 example, this one has none.", nameof(indices));
        }

        _batch.Demand(examples.Format);
        if (count > _batch.Capacity)
        {
            Clear(_gradientBindings);
            Clear(_evaluationBindings);
            _batch.Grow(count);
        }

        return _batch.Fill(examples, indices);
    }

    private OrtIoBinding BindGradient(OnnxGraph graph, int count)
    {
        _ = Gradient;
        PinnedBuffer<float> gradient = _gradient!;
        return Bind(graph, count, binding =>
        {
            foreach (ParameterSpec parameter in _model.Layout.Parameters.Where((_, i) => _model.Manifest.Parameters[i].HasGradient))
            {
                using OrtValue value = PinnedViews.Of(gradient, parameter.Offset, parameter.Length, Shape(parameter));
                binding.BindOutput(PackageManifest.GradientPrefix + parameter.Name, value);
            }
        });
    }

    private OrtIoBinding BindEvaluation(OnnxGraph graph, int count) =>
        Bind(graph, count, binding => BindScalar(binding, graph, PackageManifest.ScoreOutput, _score));

    /// <summary>Binds the batch, the adapter and the loss, which both graphs have, and what <paramref name="bindRest"/> adds.</summary>
    private OrtIoBinding Bind(OnnxGraph graph, int count, Action<OrtIoBinding> bindRest)
    {
        // The binding shares each value's native tensor, so that the managed wrapper can go at once.
        OrtIoBinding binding = graph.CreateBinding();
        try
        {
            using OrtValue features = _batch.FeaturesView(count);
            using OrtValue labels = _batch.LabelsView(count);
            binding.BindInput(_model.Manifest.Input.Name, features);
            binding.BindInput(PackageManifest.LabelsInput, labels);
            foreach (ParameterSpec parameter in _model.Layout.Parameters)
            {
                using OrtValue value = PinnedViews.Of(_adapter, parameter.Offset, parameter.Length, Shape(parameter));
                binding.BindInput(parameter.Name, value);
            }

            BindScalar(binding, graph, PackageManifest.LossOutput, _loss);
            bindRest(binding);
        }
        catch
        {
            binding.Dispose();
            throw;
        }

        return binding;
    }

    private static OrtIoBinding Keep(Dictionary<int, OrtIoBinding> bindings, int count, OrtIoBinding binding)
    {
        if (bindings.Count >= MaxBindings)
        {
            Clear(bindings);
        }

        bindings.Add(count, binding);
        return binding;
    }

    private static void BindScalar(OrtIoBinding binding, OnnxGraph graph, string output, PinnedBuffer<float> buffer)
    {
        using OrtValue value = PinnedViews.Of(buffer, 0, 1, graph.ScalarShape(output));
        binding.BindOutput(output, value);
    }

    private static long[] Shape(ParameterSpec parameter) => [.. parameter.Shape.Select(d => (long)d)];
}
