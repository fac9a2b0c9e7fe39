using System.Collections.Frozen;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Grains;
using Federated.Server.Jobs;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;

namespace Federated.Server.Grpc;

/// <summary>What the edge must know of a round to judge a submission.</summary>
/// <param name="Start">The round's facts.</param>
/// <param name="Cohort">Its devices.</param>
/// <param name="Codec">How updates are compressed; null when they are dense.</param>
/// <param name="Lora">How updates of LoRA factors are read; null when every update is P parameters that are summed as they come.</param>
/// <param name="Linear">The private path's round; null without it.</param>
internal sealed record RoundFacts(RoundStart Start, FrozenSet<string> Cohort, PlainCodec? Codec, LoraUpdates? Lora, LinearRound? Linear)
{
    /// <summary>The group of each device under secure aggregation; null without it.</summary>
    public FrozenDictionary<string, int>? Groups { get; } = Start.Secure is { } secure
        ? Start.Cohort.Zip(secure.GroupOf).ToFrozenDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal)
        : null;

    /// <summary>Parameters in a device's update, or amounts of directions.</summary>
    public int SentCount(string deviceId) => Start.Directions ?? Lora?.SentCount(deviceId) ?? Start.ParameterCount;

    /// <summary>Bytes of what a LoRA rule makes of an update; 0 when it is summed as sent.</summary>
    public int ExpandedBytes => Lora is null or { SumsUpdatesAsSent: true } ? 0 : checked(Lora.SumLength * sizeof(float));

    /// <summary>Bytes that a device's update takes on its way into the sum beyond its payload: decoded, and expanded by a LoRA rule.</summary>
    public int SumBytes(string deviceId) => this switch
    {
        { Start.Secure: not null } => 0,
        { Linear: { } linear } => checked(linear.FieldCount * sizeof(float)),
        { Codec: not null } => checked(ExpandedBytes + (SentCount(deviceId) * sizeof(float))),
        _ => ExpandedBytes,
    };
}

/// <summary>
/// Remembers the facts of recent rounds, which never change, so that a submission costs no look-up. A job or round that somebody made up wakes no grain:
/// each would stay in memory for minutes. Thread-safe.
/// </summary>
internal sealed class RoundDirectory(IGrainFactory grains, JobModels models)
{
    private readonly RecentRounds _recent = new();

    /// <summary>The round's facts; null when there is no such round, or it is long over.</summary>
    public ValueTask<RoundFacts?> FindAsync(string jobId, ulong round) => round is 0 or > long.MaxValue
        ? ValueTask.FromResult<RoundFacts?>(null)
        : _recent.FindOrMakeAsync(jobId, (long)round, () => MakeAsync(jobId, (long)round));

    /// <summary>Where the job stands; null when there is no such job.</summary>
    public async Task<JobStatus?> JobAsync(string jobId) =>
        await grains.GetGrain<IJobDirectoryGrain>(0).Holds(jobId) ? await grains.Of<IJobGrain>(jobId).Status() : null;

    private async Task<RoundFacts?> MakeAsync(string jobId, long round)
    {
        if (await JobAsync(jobId) is not { } job || round > job.NextRound)
        {
            return null;
        }

        RoundStart? start = await grains.Of<IRoundGrain>(GrainKeys.Round(jobId, round)).Facts();
        if (start is null)
        {
            return null;
        }

        LoraUpdates? lora = await models.LoraUpdatesAsync(start, CancellationToken.None);
        PlanDocument plan = PlanDocument.FromBytes(start.Plan);
        return new RoundFacts(start, start.Cohort.ToFrozenSet(StringComparer.Ordinal), plan.Codec, lora, plan.Linear);
    }
}
