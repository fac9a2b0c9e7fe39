using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// How updates of LoRA factors become the next adapter, cut so that the server keeps no single update: a client's update is mapped to a vector
/// whose weighted mean is all that the rule needs. Immutable and pure; thread-safe.
/// </summary>
internal interface ILoraRule
{
    /// <summary>What each tensor of the layout is to the clients of a round.</summary>
    /// <param name="round">From 1.</param>
    ImmutableArray<ParameterRole> Roles(long round);

    /// <summary>S, the length of the vector that is summed.</summary>
    /// <param name="round">From 1.</param>
    int SumLength(long round);

    /// <summary>Whether an update is summed just as it was sent, so that <see cref="Expand"/> is not needed.</summary>
    bool SumsUpdatesAsSent { get; }

    /// <summary>Maps an update to what is summed.</summary>
    /// <param name="update">What the client sent.</param>
    /// <param name="start">The adapter that the round started from: [P].</param>
    /// <param name="sum">[S], overwritten.</param>
    void Expand(in LoraUpdate update, ReadOnlySpan<float> start, Span<float> sum);

    /// <summary>Turns the mean, weighted by examples, into the next adapter.</summary>
    /// <param name="mean">[S].</param>
    /// <param name="adapter">[P], changed in place.</param>
    /// <param name="round">From 1.</param>
    /// <param name="step">The server optimizer. Rules that do not step along an update leave it alone.</param>
    /// <returns>What the round's record says of it.</returns>
    LoraOutcome Apply(ReadOnlySpan<float> mean, Span<float> adapter, long round, ServerOptimizerStep step);
}

/// <summary>One client's update as it was sent.</summary>
internal readonly ref struct LoraUpdate(ReadOnlySpan<float> sent, long round, int rank, int examples)
{
    /// <summary>The delta of the sent tensors, packed for the client's rank.</summary>
    public ReadOnlySpan<float> Sent { get; } = sent;

    /// <summary>From 1.</summary>
    public long Round { get; } = round;

    /// <summary>The client's rank; 0 for each target's own.</summary>
    public int Rank { get; } = rank;

    /// <summary>Its weight in the mean.</summary>
    public int Examples { get; } = examples;
}

/// <summary>What a rule found out while it made the next adapter.</summary>
/// <param name="UpdateNorm">L2 norm of the mean update, of the factors or of the product, whichever the rule averages.</param>
/// <param name="AveragingBias">See <see cref="AveragingBias"/>; null where it was not asked for or cannot arise.</param>
internal readonly record struct LoraOutcome(double UpdateNorm, double? AveragingBias);
