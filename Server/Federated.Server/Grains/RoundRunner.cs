using Federated.Server.Aggregation;
using Federated.Server.Collection;
using Federated.Server.Events;
using Federated.Server.Jobs;
using Federated.Server.Privacy;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Grains;

/// <summary>
/// One job's rounds, step by step: cohort, round, collection, commit, evaluation. Runs on the job grain's scheduler; each step can be
/// repeated after a crash, because what it needs is in the job's state, the round's state and the durable sum.
/// </summary>
internal sealed class RoundRunner(
    string jobId,
    JobSpec spec,
    IPersistentState<JobGrainState> state,
    JobRuntime runtime,
    JobModels models,
    PartialSumStore sums,
    UpdateStaging staging,
    IGrainFactory grains,
    EventFeed events,
    TimelineRecorder timelines,
    TimeProvider time) : IDisposable
{
    // Below the time-out of grain calls, so that a long wait is many short ones.
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(10);

    private readonly RoundPlanner _planner = new(jobId, spec, state, runtime, models, grains.Of<ISelectorGrain>(spec.Population), time);
    private string[] _cohort = [];
    private IReadOnlyDictionary<string, string> _dropReasons = new Dictionary<string, string>();
    private ModelCommit? _next;
    private PrivacyLedger? _spent;
    private long _reached;
    private bool _overtaken;
    private bool _assigned;

    /// <summary>Why devices of the round that ran last gave up or were given up.</summary>
    public IReadOnlyDictionary<string, string> DropReasons => _dropReasons;

    /// <summary>The version that the state names.</summary>
    public static CommittedModel Committed(JobGrainState state) =>
        new(state.ModelVersion, ContentHash.Parse(state.AdapterSha256), state.AdapterLengthBytes);

    /// <summary>
    /// Runs the open round, or opens the next one, to its record; null when the job stopped running before a cohort was there. The
    /// record counts only once <see cref="CommitStateAsync"/> has written the state.
    /// </summary>
    public async Task<RoundRecord?> RunAsync(CancellationToken ct)
    {
        await EvaluateInitialAsync(ct);
        RoundStart? resumed = await Round(state.State.NextRound).Facts();
        RoundStart? start = resumed ?? await OpenRoundAsync(ct);
        if (start is null)
        {
            // A round that the state names and the store does not have is none.
            state.State.ActiveRound = 0;
            return null;
        }

        if (state.State.ActiveRound != start.Round)
        {
            // The round's own state came first, so that a crash in between finds the round and its cohort again.
            state.State.ActiveRound = start.Round;
            await state.WriteStateAsync(ct);
        }

        await EndIfCancelledAsync(start.Round);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        await AssignAsync(start, resumed is not null);
        Enter(RoundStage.Collecting, start);
        long collecting = time.GetTimestamp();
        RoundClosure closure = await WaitClosedAsync(start.Round, ct);
        _dropReasons = closure.DropReasons;
        staging.DropRound(jobId, start.Round);
        SealedGroup[] groups = await SealAsync(start);
        RoundTiming timing = new()
        {
            StartedAt = start.StartedAt,
            SelectSeconds = start.SelectSeconds,
            CollectSeconds = time.GetElapsedTime(collecting).TotalSeconds,
            DurableWrites = groups.Sum(group => group.DurableWrites),
        };
        return await CloseAsync(start, closure, groups, timing, cpu, ct);
    }

    /// <summary>Commits the record's round: one write of the job's state.</summary>
    public async Task CommitStateAsync(RoundRecord record)
    {
        JobGrainState job = state.State;
        bool committed = record.Outcome == RoundOutcome.Committed;
        if (committed)
        {
            job.Kept.Add(new KeptVersion(job.ModelVersion, job.AdapterSha256, job.AdapterLengthBytes));
            job.ModelVersion = record.ModelVersion;
            job.AdapterSha256 = record.AdapterSha256;
            job.AdapterLengthBytes = _next!.Model.AdapterLengthBytes;
            DownlinkOffers.Add(job, _next);
        }

        job.ClipNorm = record.NextClipNorm(spec.Update.ClipQuantile, _next?.Statistics) ?? job.ClipNorm;
        job.Privacy = _spent ?? job.Privacy;

        // Where the number moves on the job gets on; where it does not, devices that are ahead are a reason like any other.
        bool movesOn = _overtaken && _reached > record.Round;
        job.AbandonedInARow = committed ? 0 : movesOn ? job.AbandonedInARow : job.AbandonedInARow + 1;
        job.AbandonReason = record.Reason;
        job.Evaluation = record.Evaluation ?? job.Evaluation;
        if (record.Evaluation is { } evaluation && spec.TargetAccuracy is { } target && evaluation.Accuracy >= target)
        {
            job.RoundsToTarget ??= record.Round;
        }

        job.Ended(record.Round);
        job.ReachedRound = Math.Max(job.ReachedRound, _reached);
        job.ActiveRound = 0;
        _assigned = false;
        await state.WriteStateAsync();
    }

    /// <summary>Frees the round's devices and tells them how their part ended.</summary>
    public async Task ReleaseAsync(RoundRecord record)
    {
        await Selector().Release(jobId, record.Round);
        HashSet<string> contributors = new(record.Contributors, StringComparer.Ordinal);
        foreach (string deviceId in _cohort)
        {
            // Looked up for each device when it is its turn: what came late meanwhile is told here or by the job's grain afterwards, and never forgotten between the two.
            await grains.Of<IDeviceGrain>(deviceId).Participated(DeviceRound.Of(
                jobId, record.Round, timelines.Find(jobId, record.Round, deviceId), contributors.Contains(deviceId), _dropReasons.GetValueOrDefault(deviceId), time.GetUtcNow()));
        }

        if (record.Outcome == RoundOutcome.Committed)
        {
            models.SetAside(ContentHash.Parse(state.State.Kept[^1].AdapterSha256));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => runtime.Dispose();

    /// <summary>Measures what training starts from, so that it can be seen what the rounds gained. The next write of the state keeps it.</summary>
    private async Task EvaluateInitialAsync(CancellationToken ct)
    {
        if (state.State is { LastRound: 0, InitialEvaluation: null })
        {
            state.State.InitialEvaluation = await runtime.EvaluateAsync(ct);
        }
    }

    private async Task<RoundStart?> OpenRoundAsync(CancellationToken ct)
    {
        long round = state.State.NextRound;
        DateTimeOffset startedAt = time.GetUtcNow();
        long waiting = time.GetTimestamp();
        events.Publish(new RoundStageChanged(jobId, round, RoundStage.Selecting, 0, spec.Cohort.Goal));
        string[] cohort = [];
        while (cohort.Length == 0)
        {
            if (ct.IsCancellationRequested || state.State.State != JobState.Running)
            {
                return null;
            }

            bool patient = time.GetElapsedTime(waiting) < spec.Deadlines.Select;
            cohort = await Selector().Select(new CohortDemand
            {
                JobId = jobId,
                Round = round,
                Count = spec.Cohort.CohortSize,
                Fewest = patient ? spec.Cohort.CohortSize : spec.Cohort.QuorumCount,
                MinimumPool = patient ? spec.Cohort.MinimumPool : 0,
                Seed = spec.Seed,
                Hold = Hold,
            });
        }

        if (state.State.State != JobState.Running)
        {
            // Paused or cancelled while the cohort was on its way here.
            await Selector().Free(cohort);
            return null;
        }

        RoundStart start = await _planner.DescribeAsync(round, cohort, startedAt, time.GetElapsedTime(waiting).TotalSeconds);
        if (JobEnding.Precedes(spec, state.State, PlanDocument.FromBytes(start.Plan).Linear))
        {
            await Selector().Free(cohort);
            return null;
        }

        await Round(round).Start(start);
        return start;
    }

    private void Enter(RoundStage stage, RoundStart start) =>
        events.Publish(new RoundStageChanged(jobId, start.Round, stage, start.Cohort.Length, start.Goal));

    /// <summary>Hands out the plan; after a restart of the server again to those that have not contributed.</summary>
    private async Task AssignAsync(RoundStart start, bool resumed)
    {
        _cohort = start.Cohort;
        if (!_assigned)
        {
            string[] devices = resumed ? await Round(start.Round).Outstanding() : start.Cohort;
            foreach ((byte[] plan, string[] group) in _planner.PlansOf(start, devices))
            {
                await Selector().Assign(jobId, start.Round, group, plan);
            }

            foreach (IGroupGrain group in GroupsOf(start))
            {
                await group.Open();
            }

            _assigned = true;
        }
    }

    private async Task<RoundClosure> WaitClosedAsync(long round, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            await EndIfCancelledAsync(round);
            if (await Round(round).WaitClosed(Hold) is { } closure)
            {
                return closure;
            }
        }
    }

    /// <summary>Ends the round when its job was cancelled: while it was being opened, or by a call that got no further than the job's state.</summary>
    private async Task EndIfCancelledAsync(long round)
    {
        if (state.State.State == JobState.Cancelled)
        {
            await Round(round).Cancel("the job was cancelled");
        }
    }

    private async Task<RoundRecord> CloseAsync(
        RoundStart start, RoundClosure closure, SealedGroup[] groups, RoundTiming timing, TimeSpan cpuBefore, CancellationToken ct)
    {
        long committing = time.GetTimestamp();
        _spent = null;

        // However much devices lie, a round brings the number on by no more than the job has rounds.
        _reached = Math.Min(closure.ReachedRound, start.Round + spec.Rounds);
        _overtaken = closure.IsOvertaken;
        Enter(RoundStage.Committing, start);
        int accepted = groups.Sum(group => group.Count);
        PartialSum? sum = await TakeAsync(start, groups, ct);
        CommittedModel from = Committed(state.State);
        PlanDocument plan = PlanDocument.FromBytes(start.Plan);
        LinearRound? linear = plan.Linear;
        ServerNoise? noise = spec.Privacy is { Mechanism: PrivacyMechanism.Gaussian } ? new ServerNoise(spec, state.State.Privacy!.NoiseKey) : null;
        ModelCommit? commit = closure.Commit && sum is not null ? await runtime.CommitAsync(from, sum.Sum, plan, noise, ct) : null;
        _next = commit;
        timing = timing with { CommitSeconds = time.GetElapsedTime(committing).TotalSeconds };

        long evaluating = time.GetTimestamp();
        bool due = commit is not null && spec.Evaluation is { } evaluation
            && (start.Round % evaluation.Every == 0 || state.State.EndedRounds + 1 == spec.Rounds);
        if (due)
        {
            Enter(RoundStage.Evaluating, start);
        }

        CentralEvaluation? quality = due ? await runtime.EvaluateAsync(ct) : null;
        timing = timing with { EvaluateSeconds = time.GetElapsedTime(evaluating).TotalSeconds };

        CommittedModel model = _next?.Model ?? from;
        RoundRecord record = new()
        {
            JobId = jobId,
            Round = start.Round,
            Outcome = commit is null ? RoundOutcome.Abandoned : RoundOutcome.Committed,
            Reason = _reached > start.Round ? $"{closure.Reason}; the next round is {_reached + 1}" : closure.Reason,
            ModelVersion = model.Version,
            AdapterSha256 = model.Adapter.Hex,
            Goal = start.Goal,
            Selected = start.Cohort.Length,
            Accepted = accepted,
            Groups = start.Secure is null ? null : new RoundGroups(groups.Length, [.. groups.Select(group => group.Abandoned).OfType<string>()]),
            Dropped = closure.DroppedWithout(sum?.Contributions.Select(contribution => contribution.DeviceId) ?? []),
            UpdateNorm = commit?.UpdateNorm ?? 0,
            AveragingBias = commit?.AveragingBias,
            Epsilon = spec.Privacy is { } privacy ? state.State.Privacy!.Epsilon(privacy.Delta) : null,
            Evaluation = quality,
            Timing = timing,
        };
        if (sum is not null)
        {
            record = record.WithTotals(ContributionTotals.Of(sum.Contributions));
            sums.Return(sum.Sum);
        }

        record = Charged(record, groups.SelectMany(group => group.Refused), linear);
        if (linear is not null)
        {
            record = record.WithStatistics(linear, commit?.Statistics);
        }

        return record with
        {
            Timing = record.Timing with
            {
                TotalSeconds = (time.GetUtcNow() - start.StartedAt).TotalSeconds,
                ProcessCpuSeconds = (Environment.CpuUsage.TotalTime - cpuBefore).TotalSeconds,
            },
        };
    }

    /// <summary>Charges every device of a sum, whether or not it became a model, and of one that was refused: somebody has seen it.</summary>
    private RoundRecord Charged(RoundRecord record, IEnumerable<string> refused, LinearRound? linear)
    {
        string[] summed = [.. record.Contributors, .. refused];
        if (spec.Privacy is not { } privacy || linear is null || summed.Length == 0)
        {
            return record;
        }

        // A copy: the round counts only when the state is written.
        _spent = state.State.Privacy!.Copy();
        _spent.Charge(summed, PrivacyCost.Of(spec, linear));
        return record with { Epsilon = _spent.Epsilon(privacy.Delta) };
    }

    private async Task<SealedGroup[]> SealAsync(RoundStart start) => start.Secure is null
        ? [await Aggregator(start.Round).Seal()]
        : await Task.WhenAll(GroupsOf(start).Select(group => group.Seal()));

    /// <summary>The sum of all groups that have one; null when none has.</summary>
    private async Task<PartialSum?> TakeAsync(RoundStart start, SealedGroup[] groups, CancellationToken ct)
    {
        PartialSum? sum = null;
        for (int group = 0; group < groups.Length; group++)
        {
            if (groups[group].Count > 0)
            {
                PartialSum part = await sums.TakeAsync(GrainKeys.Group(jobId, start.Round, group), ct);
                sum?.Add(part);
                sum ??= part;
            }
        }

        return sum;
    }

    private IEnumerable<IGroupGrain> GroupsOf(RoundStart start) => Enumerable.Range(0, start.Secure?.Groups ?? 0)
        .Select(group => grains.Of<IGroupGrain>(GrainKeys.Group(jobId, start.Round, group)));

    private IRoundGrain Round(long round) => grains.Of<IRoundGrain>(GrainKeys.Round(jobId, round));

    private IAggregatorGrain Aggregator(long round) => grains.Of<IAggregatorGrain>(GrainKeys.Aggregator(jobId, round));

    private ISelectorGrain Selector() => grains.Of<ISelectorGrain>(spec.Population);
}
