using Federated.Shared.Models;
using static TorchSharp.torch;

namespace Federated.Training.Torch;

/// <summary>A batch's features and labels in arrays that tensors share; new ones whenever the batch has another size. Not thread-safe.</summary>
internal sealed class HostBatch(PackageManifest manifest) : IDisposable
{
    private readonly ExampleFormat _format = ExampleFormat.Of(manifest);
    private int _count;
    private float[] _features = [];
    private long[] _tokens = [];
    private long[] _labels = [];
    private float[] _targets = [];
    private Tensor? _featureTensor;
    private Tensor? _labelTensor;

    /// <summary>[N, …]; valid until the next call of <see cref="Fill"/>.</summary>
    public Tensor Features => _featureTensor!;

    /// <summary>[N, …]; valid until the next call of <see cref="Fill"/>.</summary>
    public Tensor Labels => _labelTensor!;

    /// <summary>Copies the examples in and counts what the loss is the mean over.</summary>
    public long Fill(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        if (indices.IsEmpty)
        {
            throw new ArgumentException("The batch is empty; it needs at least one example.", nameof(indices));
        }

        examples.Format.Demand(manifest);
        if (_count != indices.Length)
        {
            Resize(indices.Length);
        }

        examples.CopyTo(indices, new ExampleBatch(_features, _tokens, _labels, _targets));
        return BatchLabels.Count(manifest, indices, _labels);
    }

    public void Dispose()
    {
        _featureTensor?.Dispose();
        _labelTensor?.Dispose();
    }

    private void Resize(int count)
    {
        Dispose();
        int features = checked(count * _format.FeatureLength);
        int labels = checked(count * _format.LabelLength);
        (_features, _tokens) = _format.FeatureType == ElementType.Float32 ? (new float[features], Array.Empty<long>()) : ([], new long[features]);
        (_labels, _targets) = _format.LabelType == ElementType.Int64 ? (new long[labels], Array.Empty<float>()) : ([], new float[labels]);
        _featureTensor = Over(_features, _tokens, [count, .. manifest.Input.Shape.Select(d => (long)d)]);
        _labelTensor = Over(_targets, _labels, [count, .. manifest.Labels.Shape.Select(d => (long)d)]);
        _count = count;
    }

    /// <summary>A tensor over whichever array is used; torch pins it as long as the tensor lives.</summary>
    private static Tensor Over(float[] numbers, long[] integers, long[] shape) =>
        (numbers.Length > 0 ? frombuffer(numbers, ScalarType.Float32) : frombuffer(integers, ScalarType.Int64)).reshape(shape).DetachFromDisposeScope();
}
