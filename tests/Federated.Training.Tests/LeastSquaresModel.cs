using Federated.Shared.Models;

namespace Federated.Training.Tests;

/// <summary>
/// A model whose arithmetic is done by hand: loss = mean of ½(w·x − label)², gradient = mean of (w·x − label)x. It counts what it is asked.
/// </summary>
internal sealed class LeastSquaresModel(int parameters) : ITrainableModel
{
    public PackageManifest Manifest { get; } = new()
    {
        Format = PackageManifest.CurrentFormat,
        Name = "least-squares",
        Task = ModelTask.Classification,
        Inputs = [new PackageInput(PackageManifest.FeaturesInput, ElementType.Float32, [parameters])],
        Labels = new PackageLabels(ElementType.Int64, [], 2),
        Parameters = [new PackageParameter("w", [parameters])],
        FullModelParameters = parameters,
        Gradient = new PackageFile(new string('0', 64), 0),
        Evaluation = new PackageFile(new string('0', 64), 0),
    };

    public ParameterLayout Layout => Manifest.Layout;

    public int Created;

    public int Freed;

    public IModelWorkspace CreateWorkspace()
    {
        Interlocked.Increment(ref Created);
        return new LeastSquaresWorkspace(this, parameters);
    }

    public void Dispose()
    {
    }
}

internal sealed class LeastSquaresWorkspace(LeastSquaresModel owner, int parameters) : IModelWorkspace
{
    private readonly float[] _adapter = new float[parameters];
    private readonly float[] _gradient = new float[parameters];

    /// <summary>The batches seen, in order.</summary>
    public List<int[]> Batches { get; } = [];

    /// <summary>Called before each step.</summary>
    public Action? BeforeStep { get; set; }

    /// <summary>Step from which every loss is NaN; 0 for never.</summary>
    public int NanFromStep { get; set; }

    public Span<float> Adapter => _adapter;

    public Span<float> Gradient => _gradient;

    public float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        BeforeStep?.Invoke();
        Batches.Add(indices.ToArray());
        _gradient.AsSpan().Clear();
        float loss = 0;
        Walk(examples, indices, (residual, x) =>
        {
            loss += 0.5f * residual * residual / x.Count;
            for (int i = 0; i < parameters; i++)
            {
                _gradient[i] += residual * x.Array![x.Offset + i];
            }
        });
        for (int i = 0; i < parameters; i++)
        {
            _gradient[i] /= indices.Length;
        }

        return NanFromStep > 0 && Batches.Count >= NanFromStep ? float.NaN : loss * parameters / indices.Length;
    }

    public void Score(IExampleSource examples, ReadOnlySpan<int> indices, Span<float> scores) => throw new NotSupportedException();

    public EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        BeforeStep?.Invoke();
        double loss = 0;
        double correct = 0;
        Walk(examples, indices, (residual, _) =>
        {
            loss += 0.5 * residual * residual;
            correct += MathF.Abs(residual) < 0.5f ? 1 : 0;
        });
        return new EvaluationSum(indices.Length, indices.Length, loss, correct);
    }

    public void Dispose() => Interlocked.Increment(ref owner.Freed);

    private void Walk(IExampleSource examples, ReadOnlySpan<int> indices, Action<float, ArraySegment<float>> visit)
    {
        float[] features = new float[indices.Length * parameters];
        long[] labels = new long[indices.Length];
        examples.CopyTo(indices, features, labels);
        for (int n = 0; n < indices.Length; n++)
        {
            ArraySegment<float> x = new(features, n * parameters, parameters);
            float prediction = 0;
            for (int i = 0; i < parameters; i++)
            {
                prediction += _adapter[i] * x[i];
            }

            visit(prediction - labels[n], x);
        }
    }
}

/// <summary>Examples in an array.</summary>
internal sealed class ArrayExamples(float[][] features, long[] labels) : IExampleSource
{
    public int Count => labels.Length;

    public int FeatureLength => features.Length == 0 ? 1 : features[0].Length;

    public ExampleFormat Format => ExampleFormat.Classified(FeatureLength);

    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            features[indices[i]].CopyTo(batch.Features.Slice(i * FeatureLength, FeatureLength));
            batch.Labels[i] = labels[indices[i]];
        }
    }

    /// <summary>Count examples with one feature each: x = 1, label = 0 or 1 in turn.</summary>
    public static ArrayExamples Ones(int count) =>
        new([.. Enumerable.Range(0, count).Select(_ => new float[] { 1 })], [.. Enumerable.Range(0, count).Select(i => (long)(i % 2))]);
}
