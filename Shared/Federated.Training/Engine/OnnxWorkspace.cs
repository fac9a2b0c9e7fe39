using Federated.Shared.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

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
    private readonly PinnedBuffer<float> _correct = new(1);
    private readonly Dictionary<int, OrtIoBinding> _gradientBindings = [];
    private readonly Dictionary<int, OrtIoBinding> _evaluationBindings = [];
    private PinnedBuffer<float>? _gradient;
    private PinnedBuffer<float> _features = new(0);
    private PinnedBuffer<long> _labels = new(0);
    private bool _disposed;

    public OnnxWorkspace(OnnxModel model)
    {
        _model = model;
        _adapter = new PinnedBuffer<float>(model.Layout.Length);
    }

    public Span<float> Adapter => _adapter.Span;

    // Evaluation needs no gradient: it is allocated by whoever trains.
    public Span<float> Gradient => (_gradient ??= new PinnedBuffer<float>(_model.Layout.Length)).Span;

    public float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        OnnxGraph graph = _model.GradientGraph;
        Stage(examples, indices);
        if (!_gradientBindings.TryGetValue(indices.Length, out OrtIoBinding? binding))
        {
            binding = BindGradient(graph, indices.Length);
        }

        graph.Run(binding);
        GC.KeepAlive(this);
        return _loss.Span[0];
    }

    public EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        OnnxGraph graph = _model.EvaluationGraph;
        Stage(examples, indices);
        if (!_evaluationBindings.TryGetValue(indices.Length, out OrtIoBinding? binding))
        {
            binding = BindEvaluation(graph, indices.Length);
        }

        graph.Run(binding);
        GC.KeepAlive(this);
        return new EvaluationSum(indices.Length, (double)_loss.Span[0] * indices.Length, _correct.Span[0]);
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

    private static OrtValue View<T>(PinnedBuffer<T> buffer, int offset, int length, TensorElementType type, long[] shape)
        where T : unmanaged
    {
        int size = type == TensorElementType.Int64 ? sizeof(long) : sizeof(float);
        return OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, type, shape, buffer.AddressOf(offset), (long)length * size);
    }

    private void Stage(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int count = indices.Length;
        int featureLength = _model.FeatureLength;
        if (count == 0)
        {
            throw new ArgumentException("A batch has at least 1 example, this one has none.", nameof(indices));
        }

        if (examples.FeatureLength != featureLength)
        {
            throw new ArgumentException(
                $"The examples have {examples.FeatureLength} features, model '{_model.Manifest.Name}' takes {featureLength} "
                + $"([{string.Join(", ", _model.Manifest.FeatureShape)}]). Point the client at the data this model was made for.",
                nameof(examples));
        }

        if (count > _labels.Length)
        {
            Clear(_gradientBindings);
            Clear(_evaluationBindings);
            _features = new PinnedBuffer<float>(checked(count * featureLength));
            _labels = new PinnedBuffer<long>(count);
        }

        Span<long> labels = _labels.Span[..count];
        examples.CopyTo(indices, _features.Span[..(count * featureLength)], labels);
        int classes = _model.Manifest.Classes;
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] < 0 || labels[i] >= classes)
            {
                throw new InvalidDataException(
                    $"Example {indices[i]} has label {labels[i]}, model '{_model.Manifest.Name}' knows {classes} classes "
                    + $"(0 to {classes - 1}). Correct the label or train a model with more classes.");
            }
        }
    }

    private OrtIoBinding BindGradient(OnnxGraph graph, int count)
    {
        _ = Gradient;
        PinnedBuffer<float> gradient = _gradient!;
        return Bind(_gradientBindings, graph, count, binding =>
        {
            foreach (ParameterSpec parameter in _model.Layout.Parameters)
            {
                using OrtValue value = View(gradient, parameter.Offset, parameter.Length, TensorElementType.Float, Shape(parameter));
                binding.BindOutput(PackageManifest.GradientPrefix + parameter.Name, value);
            }
        });
    }

    private OrtIoBinding BindEvaluation(OnnxGraph graph, int count) =>
        Bind(_evaluationBindings, graph, count, binding => BindScalar(binding, graph, PackageManifest.CorrectOutput, _correct));

    /// <summary>Binds the batch, the adapter and the loss, which both graphs have, and what <paramref name="bindRest"/> adds.</summary>
    private OrtIoBinding Bind(Dictionary<int, OrtIoBinding> bindings, OnnxGraph graph, int count, Action<OrtIoBinding> bindRest)
    {
        if (bindings.Count >= MaxBindings)
        {
            Clear(bindings);
        }

        // The binding shares each value's native tensor, so that the managed wrapper can go at once.
        OrtIoBinding binding = graph.CreateBinding();
        try
        {
            long[] featureShape = [count, .. _model.Manifest.FeatureShape];
            using OrtValue features = View(_features, 0, count * _model.FeatureLength, TensorElementType.Float, featureShape);
            using OrtValue labels = View(_labels, 0, count, TensorElementType.Int64, [count]);
            binding.BindInput(PackageManifest.FeaturesInput, features);
            binding.BindInput(PackageManifest.LabelsInput, labels);
            foreach (ParameterSpec parameter in _model.Layout.Parameters)
            {
                using OrtValue value = View(_adapter, parameter.Offset, parameter.Length, TensorElementType.Float, Shape(parameter));
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

        bindings.Add(count, binding);
        return binding;
    }

    private static void BindScalar(OrtIoBinding binding, OnnxGraph graph, string output, PinnedBuffer<float> buffer)
    {
        using OrtValue value = View(buffer, 0, 1, TensorElementType.Float, graph.ScalarShape(output));
        binding.BindOutput(output, value);
    }

    private static long[] Shape(ParameterSpec parameter) => [.. parameter.Shape.Select(d => (long)d)];
}
