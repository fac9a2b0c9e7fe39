using Federated.Server.Jobs;

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
            && ledger.MostRounds() > 0 && ledger.EpsilonAfterAnother(privacy.Delta) is var next && next > budget)
        {
            return (JobState.Completed, FormattableString.Invariant(
                $"privacy budget reached in round {state.LastRound}: ε = {ledger.Epsilon(privacy.Delta):F3} of {budget} spent at δ = {privacy.Delta}, another round could spend {next:F3}"));
        }

        if (state.LastRound >= spec.Rounds)
        {
            return (JobState.Completed, $"all {spec.Rounds} rounds done");
        }

        return state.AbandonedInARow >= MaxAbandonedInARow
            ? (JobState.Failed, $"{state.AbandonedInARow} rounds in a row were abandoned; look at their reasons, then submit the job again")
            : null;
    }
}
