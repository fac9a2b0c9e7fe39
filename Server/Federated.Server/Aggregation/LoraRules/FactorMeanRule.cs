using System.Collections.Immutable;
using System.Numerics.Tensors;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// The rules under which each sent tensor is averaged by itself: the mean of what was sent is the mean update, so the sum takes updates as they
/// come, under secure aggregation too.
/// </summary>
internal abstract class FactorMeanRule(LoraLayout layout, LayerSchedule? layers) : ILoraRule
{
    /// <inheritdoc/>
    public virtual bool SumsUpdatesAsSent => true;

    /// <summary>The adapter's layout.</summary>
    protected LoraLayout Layout => layout;

    /// <inheritdoc/>
    public ImmutableArray<ParameterRole> Roles(long round) => layers is null ? FactorRoles(round) : layers.Apply(FactorRoles(round), round);

    /// <inheritdoc/>
    public virtual int SumLength(long round) => SentIn(round).Length;

    /// <inheritdoc/>
    public virtual void Expand(in LoraUpdate update, ReadOnlySpan<float> start, Span<float> sum) => update.Sent.CopyTo(sum);

    /// <inheritdoc/>
    public virtual LoraOutcome Apply(ReadOnlySpan<float> mean, Span<float> adapter, long round, ServerOptimizerStep step)
    {
        step.Apply(adapter, mean, SentIn(round));
        return new LoraOutcome(TensorPrimitives.Norm(mean), null);
    }

    /// <summary>What each tensor is once all layers take part.</summary>
    /// <param name="round">From 1.</param>
    protected abstract ImmutableArray<ParameterRole> FactorRoles(long round);

    /// <summary>What a client sends in a round.</summary>
    protected ParameterSelection SentIn(long round) => ParameterSelection.Of(layout, Roles(round), ParameterRole.Sent);
}
