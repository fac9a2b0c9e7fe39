using Federated.Shared.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Federated.Training.Engine;

/// <summary>
/// The pinned arrays that a workspace's batches are copied into, one for features and one for labels, of the largest batch seen. Not thread-safe.
/// </summary>
internal sealed class StagedBatch(PackageManifest manifest)
{
    private readonly ExampleFormat _format = ExampleFormat.Of(manifest);
    private PinnedBuffer<float> _features = new(0);
    private PinnedBuffer<long> _tokens = new(0);
    private PinnedBuffer<long> _labels = new(0);
    private PinnedBuffer<float> _targets = new(0);

    /// <summary>Demands that a source's examples fit the model; nothing is allocated when they do, for this is asked at every step.</summary>
    /// <exception cref="ArgumentException">They do not fit.</exception>
    public void Demand(ExampleFormat format)
    {
        if (format != _format)
        {
            format.Demand(manifest);
        }
    }

    /// <summary>Most examples that fit without new arrays.</summary>
    public int Capacity { get; private set; }

    /// <summary>Makes room; bindings to the old arrays are worthless afterwards.</summary>
    public void Grow(int count)
    {
        int features = checked(count * _format.FeatureLength);
        int labels = checked(count * _format.LabelLength);
        _features = new PinnedBuffer<float>(_format.FeatureType == ElementType.Float32 ? features : 0);
        _tokens = new PinnedBuffer<long>(_format.FeatureType == ElementType.Int64 ? features : 0);
        _labels = new PinnedBuffer<long>(_format.LabelType == ElementType.Int64 ? labels : 0);
        _targets = new PinnedBuffer<float>(_format.LabelType == ElementType.Float32 ? labels : 0);
        Capacity = count;
    }

    /// <summary>Copies the examples in and counts what the loss is the mean over.</summary>
    public long Fill(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        int features = indices.Length * _format.FeatureLength;
        int labels = indices.Length * _format.LabelLength;
        ExampleBatch batch = new(First(_features, features), First(_tokens, features), First(_labels, labels), First(_targets, labels));
        examples.CopyTo(indices, batch);
        return BatchLabels.Count(manifest, indices, batch.Labels);
    }

    /// <summary>The engine's view of the first <paramref name="count"/> examples' features.</summary>
    public OrtValue FeaturesView(int count)
    {
        long[] shape = [count, .. manifest.Input.Shape.Select(d => (long)d)];
        int length = count * _format.FeatureLength;
        return _format.FeatureType == ElementType.Float32 ? PinnedViews.Of(_features, 0, length, shape) : PinnedViews.Of(_tokens, 0, length, shape);
    }

    /// <summary>The engine's view of the first <paramref name="count"/> examples' labels.</summary>
    public OrtValue LabelsView(int count)
    {
        long[] shape = [count, .. manifest.Labels.Shape.Select(d => (long)d)];
        int length = count * _format.LabelLength;
        return _format.LabelType == ElementType.Int64 ? PinnedViews.Of(_labels, 0, length, shape) : PinnedViews.Of(_targets, 0, length, shape);
    }

    private static Span<T> First<T>(PinnedBuffer<T> buffer, int length)
        where T : unmanaged => buffer.Length == 0 ? [] : buffer.Span[..length];
}

/// <summary>The engine's views of pinned arrays.</summary>
internal static class PinnedViews
{
    /// <summary>Elements of a buffer as a tensor; the buffer must outlive whatever the tensor is bound to.</summary>
    public static OrtValue Of(PinnedBuffer<float> buffer, int offset, int length, long[] shape) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, TensorElementType.Float, shape, buffer.AddressOf(offset), (long)length * sizeof(float));

    /// <summary>Elements of a buffer as a tensor; the buffer must outlive whatever the tensor is bound to.</summary>
    public static OrtValue Of(PinnedBuffer<long> buffer, int offset, int length, long[] shape) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, TensorElementType.Int64, shape, buffer.AddressOf(offset), (long)length * sizeof(long));
}
