using Federated.Server.Jobs;
using Federated.Server.Privacy;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Grains;

/// <summary>When a job is over.</summary>
internal static class JobEnding
{
    /// <summary>Rounds abandoned in a row after which a job is given up: something is wrong that waiting does not mend.</summary>
    public const int MaxAbandonedInARow = 20;

    /// <summary>The state the job ends in and why; null while it goes on.</summary>
    public static (JobState State, string Reason)? Of(JobSpec spec, JobGrainState state)
    {
        if (state.RoundsToTarget is { } reached)
        {
            return (JobState.Completed, $"target accuracy reached in round {reached}");
        }

        if (spec.Privacy is { EpsilonBudget: { } budget } privacy && state.Privacy is { } ledger
            && ledger.EpsilonAfterAnother(privacy.Delta) is var next && next > budget)
        {
            return (JobState.Completed, FormattableString.Invariant(
                $"privacy budget reached in round {state.LastRound}: ε = {ledger.Epsilon(privacy.Delta):F3} of {budget} spent at δ = {privacy.Delta}, another round could spend {next:F3}"));
        }

        if (state.EndedRounds >= spec.Rounds)
        {
            return state.ModelVersion > 0
                ? (JobState.Completed, $"all {spec.Rounds} rounds done")
                : (JobState.Failed, $"no round was committed; round {state.LastRound} was abandoned: {state.AbandonReason}");
        }

        return state.AbandonedInARow >= MaxAbandonedInARow
            ? (JobState.Failed, $"{state.AbandonedInARow} rounds in a row were abandoned; look at their reasons, then submit the job again")
            : null;
    }

    /// <summary>
    /// Whether the job ends instead of a round that is planned and not begun: the first, or one dearer than all before it, may cost more than the budget
    /// has left. The ledger remembers what it would cost, so that <see cref="Of"/> says the same.
    /// </summary>
    /// <param name="spec">The job.</param>
    /// <param name="state">Its state before the round.</param>
    /// <param name="round">The round's fields; null outside of the linear codec.</param>
    public static bool Precedes(JobSpec spec, JobGrainState state, LinearRound? round)
    {
        if (round is null || state.Privacy is not { } ledger)
        {
            return false;
        }

        ledger.Plan(PrivacyCost.Of(spec, round));
        return Of(spec, state) is not null;
    }
}
