using Federated.Server.Jobs;
using Federated.Server.SecureAggregation;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;

namespace Federated.Server.Grains;

/// <summary>What a job's spec and state make of a round before it is handed out: its description, its groups, and the plan of each device. Asks no grain but the selector, for labels.</summary>
internal sealed class RoundPlanner(string jobId, JobSpec spec, IPersistentState<JobGrainState> state, JobRuntime runtime, JobModels models, ISelectorGrain selector, TimeProvider time)
{
    // What a linear payload or a masked input has beside its fields.
    private const int LinearOverheadBytes = 64;

    /// <summary>Describes a round.</summary>
    /// <param name="round">From 1.</param>
    /// <param name="cohort">The devices selected.</param>
    /// <param name="startedAt">When the job began to look for them.</param>
    /// <param name="selectSeconds">How long it took to find them.</param>
    public async Task<RoundStart> DescribeAsync(long round, string[] cohort, DateTimeOffset startedAt, double selectSeconds) =>
        Describe(round, cohort, await DescribeLoraAsync(round, cohort), await DescribeLinearAsync(round, cohort), startedAt, selectSeconds);

    /// <summary>Who holds the index set of a round in the store.</summary>
    public static string HolderOf(long round) => $"set-{round}";

    /// <summary>The plan of the members of an aggregation group, the same for all of them.</summary>
    public static PlanDocument PlanOf(RoundStart start, int group) => PlanDocument.FromBytes(start.Plan) with { Group = group };

    /// <summary>One plan for all; with ranks by class of device, one for each rank; under secure aggregation, one for each group.</summary>
    public IEnumerable<(byte[] Plan, string[] Devices)> PlansOf(RoundStart start, string[] devices)
    {
        PlanDocument plan = PlanDocument.FromBytes(start.Plan);
        if (start.Secure is { } secure)
        {
            Dictionary<string, int> groups = start.Cohort.Zip(secure.GroupOf).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
            return devices.GroupBy(device => groups[device]).OrderBy(group => group.Key)
                .Select(group => (PlanOf(start, group.Key).ToBytes(), group.ToArray()));
        }

        if (start.Lora is not { Ranks.Length: > 0 } lora)
        {
            return [(start.Plan, devices)];
        }

        Dictionary<string, int> ranks = start.Cohort.Zip(lora.Ranks).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        return devices.GroupBy(device => ranks[device]).OrderBy(group => group.Key)
            .Select(group => ((plan with { Parameters = runtime.Lora!.PlanOf(start.Round, group.Key) }).ToBytes(), group.ToArray()));
    }

    private async Task<LoraRound?> DescribeLoraAsync(long round, string[] cohort)
    {
        if (runtime.Lora is not { } lora)
        {
            return null;
        }

        int[] ranks = lora.Settings.Ranks is { } settings
            ? [.. (await selector.LabelValues(cohort, settings.Label)).Select(settings.RankOf)]
            : [];
        return new LoraRound
        {
            Rule = lora.Settings.Rule,
            AveragingBias = lora.Settings.AveragingBias,
            SumLength = lora.Rule.SumLength(round),
            Ranks = ranks,
            Layers = lora.Settings.Layers,
        };
    }

    /// <summary>The private path's round, with its index set in the store where devices cannot draw it; null without it.</summary>
    private async Task<LinearRound?> DescribeLinearAsync(long round, string[] cohort)
    {
        if (spec.Update.Codec != UpdateCodec.Linear)
        {
            return null;
        }

        LinearRound linear = LinearSettings.RoundOf(spec, round, SentIn(round), state.State.ClipNorm ?? spec.Update.ClipNorm, cohort.Length);
        return linear.IndexSet == IndexSetKind.Random
            ? linear
            : linear with
            {
                Set = await models.PutDocumentAsync(jobId, HolderOf(round), IndexSetDocument.ToBytes(runtime.IndexSetOf(linear, round)), CancellationToken.None),
            };
    }

    private int SentIn(long round) =>
        spec.Training.Directions?.ToPlan(spec.Seed, round).Count ?? runtime.Lora?.PlanOf(round, rank: 0).SentCount ?? state.State.ParameterCount;

    private RoundStart Describe(long round, string[] cohort, LoraRound? lora, LinearRound? linear, DateTimeOffset startedAt, double selectSeconds)
    {
        int parameters = state.State.ParameterCount;
        ParameterPlan? part = runtime.Lora?.PlanOf(round, rank: 0);
        DirectionPlan? directions = spec.Training.Directions?.ToPlan(spec.Seed, round);
        int sent = SentIn(round);
        PlainCodec? codec = spec.Update.ToPlan();
        long bodyBytes = linear?.PackedBytes + LinearOverheadBytes ?? codec?.MaxLengthBytes(sent) ?? ((long)sent * sizeof(float));
        long maxUpdateBytes = bodyBytes + UpdateDocument.OverheadBytes;
        PlanDocument plan = new()
        {
            JobId = jobId,
            Round = round,
            ModelVersion = state.State.ModelVersion,
            Package = ContentHash.Parse(state.State.PackageSha256),
            Adapter = ContentHash.Parse(state.State.AdapterSha256),
            AdapterLengthBytes = state.State.AdapterLengthBytes,
            ParameterCount = parameters,
            Seed = spec.Seed,
            Codec = codec,
            Linear = linear,
            MaxUpdateBytes = maxUpdateBytes,
            Deadline = spec.Deadlines.Report,
            CohortSize = cohort.Length,
            Goal = Math.Min(spec.Cohort.Goal, cohort.Length),
            Training = spec.Training.In(state.State.EndedRounds + 1, spec.Rounds).ToPlan(),
            Parameters = part,
            Directions = directions,
            Offers = spec.Downlink == DownlinkKind.Compact ? DownlinkOffers.Of(state.State) : null,
        };
        return new RoundStart
        {
            JobId = jobId,
            Round = round,
            Population = spec.Population,
            ModelVersion = state.State.ModelVersion,
            ParameterCount = parameters,
            MaxUpdateBytes = maxUpdateBytes,
            Goal = plan.Goal,
            Quorum = Math.Min(spec.Cohort.QuorumCount, plan.Goal),
            Cohort = cohort,
            Plan = plan.ToBytes(),
            Deadline = time.GetUtcNow() + spec.Deadlines.Report,
            StartedAt = startedAt,
            SelectSeconds = selectSeconds,
            Lora = lora,
            FieldCount = linear?.FieldCount,
            Directions = directions?.Count,
            Secure = spec.Aggregation.Secure is { } secure ? Partition(secure, round, cohort.Length) : null,
        };
    }

    /// <summary>Deals the cohort into groups at random, so that devices of one kind do not share one.</summary>
    private SecureRound Partition(SecureAggregationSettings secure, long round, int devices)
    {
        int[] sizes = GroupPartition.Sizes(devices, secure.MinMembers, secure.GroupSize);
        int[] groups = [.. sizes.SelectMany((size, group) => Enumerable.Repeat(group, size))];
        SeededGenerator.For(spec.Seed, "aggregation-groups", (ulong)round).Shuffle(groups);
        return new SecureRound
        {
            Groups = sizes.Length,
            GroupOf = groups,
            MinMembers = secure.MinMembers,
            StepTime = TimeSpan.FromSeconds(secure.StepSeconds),
            KeysUntil = time.GetUtcNow() + (secure.KeysShare * spec.Deadlines.Report),
        };
    }
}
