using Federated.Training;

namespace Federated.Client.Policies;

/// <summary>A workspace whose every step waits for leave first and is accounted for afterwards. Not thread-safe.</summary>
/// <param name="inner">What computes; stays the caller's.</param>
/// <param name="enter">Waits for leave.</param>
/// <param name="left">Is told how long the step took.</param>
/// <param name="time">Measures.</param>
internal sealed class PacedWorkspace(IModelWorkspace inner, Action enter, Action<TimeSpan> left, TimeProvider time) : IModelWorkspace
{
    /// <inheritdoc/>
    public Span<float> Adapter => inner.Adapter;

    /// <inheritdoc/>
    public Span<float> Gradient => inner.Gradient;

    /// <inheritdoc/>
    public float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        enter();
        long began = time.GetTimestamp();
        float loss = inner.LossAndGradient(examples, indices);
        left(time.GetElapsedTime(began));
        return loss;
    }

    /// <inheritdoc/>
    public EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        enter();
        long began = time.GetTimestamp();
        EvaluationSum sum = inner.Evaluate(examples, indices);
        left(time.GetElapsedTime(began));
        return sum;
    }

    /// <inheritdoc/>
    public void Score(IExampleSource examples, ReadOnlySpan<int> indices, Span<float> scores)
    {
        enter();
        long began = time.GetTimestamp();
        inner.Score(examples, indices, scores);
        left(time.GetElapsedTime(began));
    }

    /// <summary>Nothing: the workspace is the caller's.</summary>
    public void Dispose()
    {
    }
}
