using Federated.Server.Events;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Server.Telemetry;
using Federated.Shared.Models;

namespace Federated.Server.Grains;

/// <summary>
/// Hosts a job: answers for it and keeps its round loop going. The loop itself is <see cref="RoundRunner"/>; what it commits lies in
/// <see cref="JobGrainState"/>.
/// </summary>
internal sealed class JobGrain(
    [PersistentState("job", StorageNames.Grains)] IPersistentState<JobGrainState> state,
    JobModels models,
    RoundRecords records,
    RoundTimelines timelines,
    RoundRunnerFactory runners,
    EventFeed events,
    RoundTelemetry telemetry,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<JobGrain> logger) : Grain, IJobGrain
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    private readonly List<RoundRecord> _records = [];
    private readonly RefusalTally _refusals = new();
    private readonly LastFailure _failure = new();
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private JobSpec? _spec;
    private RoundRunner? _runner;
    private IGrainTimer? _loop;
    private Task _writing = Task.CompletedTask;

    // A person's change and a look at what is durable take turns: what was read before a change was written would undo it.
    private Task _changing = Task.CompletedTask;
    private Task _reading = Task.CompletedTask;
    private bool _stale;
    private bool _untold;
    private long _tried;

    private string JobId => this.GetPrimaryKeyString();

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!state.RecordExists)
        {
            return;
        }

        _spec = JobSpec.Parse(state.State.SpecJson);
        _records.AddRange(await records.ReadAllAsync(JobId, state.State.LastRound, cancellationToken));
        StartLoop();
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _runner?.Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<JobStatus> Submit(string specJson)
    {
        if (!state.RecordExists)
        {
            _spec = JobSpec.Parse(specJson);
            (ContentHash package, CommittedModel model) = await models.CreateAsync(JobId, _spec, CancellationToken.None);
            PackageManifest manifest = await models.ManifestAsync(package, CancellationToken.None);
            state.State = JobGrainState.Submitted(specJson, _spec, package, model, manifest, time.GetUtcNow());
            await state.WriteStateAsync();
            events.Publish(new JobChanged(ToStatus()));
            JobLog.Submitted(logger, JobId, _spec.Population, manifest.Name, manifest.Layout.Length);
            StartLoop();
        }

        return ToStatus();
    }

    /// <inheritdoc/>
    public Task<JobStatus?> Status() => Task.FromResult(state.RecordExists ? ToStatus() : null);

    /// <inheritdoc/>
    public Task<string?> Spec() => Task.FromResult(state.RecordExists ? state.State.SpecJson : null);

    /// <inheritdoc/>
    public Task Recover() => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<JobStatus?> Pause() => ChangeAsync(JobState.Running, JobState.Paused, "");

    /// <inheritdoc/>
    public async Task<JobStatus?> Resume()
    {
        JobStatus? status = await ChangeAsync(JobState.Paused, JobState.Running, "");
        StartLoop();
        return status;
    }

    /// <inheritdoc/>
    public async Task<JobStatus?> Cancel()
    {
        if (!state.RecordExists || (IsOver && state.State.State != JobState.Cancelled))
        {
            return await Status();
        }

        if (IsOver)
        {
            // An earlier call may have got no further than the job's state.
            await WithdrawAsync();
        }
        else if (!await MoveAsync(state.State.State, JobState.Cancelled, "cancelled by a person"))
        {
            return await Cancel();
        }

        if (state.State.ActiveRound > 0)
        {
            await GrainFactory.Of<IRoundGrain>(GrainKeys.Round(JobId, state.State.ActiveRound)).Cancel("the job was cancelled");
        }

        return ToStatus();
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RoundRecord>> Rounds(long after, TimeSpan hold)
    {
        long start = time.GetTimestamp();
        while (LastRecorded <= after && state.State.State is JobState.Running or JobState.Paused)
        {
            TimeSpan left = hold - time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero || !await _progress.Task.ArrivesAsync(left, time, lifetime.ApplicationStopping))
            {
                break;
            }
        }

        return [.. _records.Where(record => record.Round > after)];
    }

    /// <inheritdoc/>
    public Task<Dictionary<long, string>> KeptVersions() => Task.FromResult(state.State.StoredVersions());

    /// <inheritdoc/>
    public async Task NoteRefusal(long round, string deviceId, bool selected, string outcome)
    {
        if (!state.RecordExists)
        {
            return;
        }

        if (round < 1 || round > state.State.LastRound)
        {
            // What names a round that never was counts in the one under way; of a job that is over it is in no record.
            _refusals.Add(state.State.NextRound, deviceId, outcome);
            return;
        }

        if (outcome is RefusalTally.Late or RefusalTally.RoundAbandoned)
        {
            await GrainFactory.Of<IDeviceGrain>(deviceId).CameLate(DeviceRound.Late(JobId, round, timelines.Known(JobId, round, deviceId), outcome, time.GetUtcNow()));
        }

        int index = _records.FindIndex(record => record.Round == round);
        if (selected && _refusals.AddToClosed(round, deviceId, outcome) && index >= 0)
        {
            _records[index] = _refusals.TakeInto(_records[index]);
            events.Publish(new RoundRecorded(_records[index]));
            await WriteRecordAsync(round);
            await timelines.SaveAsync(JobId, round, CancellationToken.None);
        }
    }

    private long LastRecorded => _records.Count == 0 ? 0 : _records[^1].Round;

    // A round that is open is brought to its end whatever has become of its job.
    private bool HasRounds => state.State.State == JobState.Running || state.State.ActiveRound > 0;

    private bool IsOver => state.State.State is not (JobState.Running or JobState.Paused);

    private bool HasWork => HasRounds || (IsOver && JobRetention.Owes(state.State));

    private void StartLoop()
    {
        if (_loop is null && HasWork)
        {
            _loop = this.RegisterGrainTimer(LoopAsync, new GrainTimerCreationOptions
            {
                DueTime = TimeSpan.Zero,
                Period = RetryPause,
                Interleave = true, KeepAlive = true,
            });
        }
    }

    /// <summary>Runs round after round; interleaves, because rounds last long and the job must answer meanwhile.</summary>
    private async Task LoopAsync(CancellationToken timer)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timer, lifetime.ApplicationStopping);
        CancellationToken ct = either.Token;
        try
        {
            if (_stale)
            {
                await Holding.EndedAsync(() => _changing);
                _reading = ReadAgainAsync(ct);
                await _reading;
            }

            while (HasRounds && !ct.IsCancellationRequested)
            {
                // A job that was killed after its last round's commit has only its end to write.
                if (state.State.State == JobState.Running && JobEnding.Of(_spec!, state.State) is { } over)
                {
                    await MoveAsync(JobState.Running, over.State, over.Reason);
                    break;
                }

                _tried = state.State.NextRound;
                _runner ??= await runners.OpenAsync(JobId, _spec!, state, ct);
                RoundRecord? record = await _runner.RunAsync(ct);
                if (record is null)
                {
                    continue;
                }

                record = _refusals.TakeInto(record);
                _refusals.Close(record.Round);
                await records.WriteAsync(record, ct);
                await FinishAsync(record);
            }

            if (!HasRounds && IsOver && !ct.IsCancellationRequested)
            {
                await ForgetAsync();
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // What is committed stands; the next tick goes on from there.
            _stale = true;
            if (_failure.IsNews(e))
            {
                JobLog.RoundFailed(logger, JobId, _tried, e);
                _untold = true;
            }

            _runner?.Dispose();
            _runner = null;
            return;
        }

        if (!HasWork)
        {
            _loop?.Dispose();
            _loop = null;
            _runner?.Dispose();
            _runner = null;
        }
    }

    private async Task FinishAsync(RoundRecord record)
    {
        await _runner!.CommitStateAsync(record);
        _failure.Over();

        // Refusals noted while the record and the state were being written: no await may stand between taking them and listing the record.
        RoundRecord complete = _refusals.TakeInto(record);
        _records.Add(complete);
        if (!ReferenceEquals(complete, record))
        {
            await WriteRecordAsync(complete.Round);
        }

        await timelines.CloseAsync(complete, _runner.DropReasons, RoundTimelines.Outdated(_records), CancellationToken.None);
        JobLog.RoundEnded(logger, JobId, record.Round, record.Outcome, record.Accepted, record.Evaluation?.Accuracy ?? double.NaN, record.Reason);
        events.Publish(new RoundRecorded(complete));
        telemetry.Recorded(complete, timelines.Known(JobId, complete.Round));
        if (JobEnding.Of(_spec!, state.State) is { } ending && state.State.State is JobState.Running or JobState.Paused)
        {
            await MoveAsync(state.State.State, ending.State, ending.Reason);
        }
        else
        {
            events.Publish(new JobChanged(ToStatus()));
        }

        Signal();
        await _runner.ReleaseAsync(record);
        await ForgetAsync();
    }

    /// <summary>Deletes what nothing of the job may ask for any more. The next round's write keeps what is gone; where none comes, it is written here.</summary>
    private async Task ForgetAsync()
    {
        if (await runners.RetentionOf(JobId).ApplyAsync(state.State) && IsOver)
        {
            await Holding.EndedAsync(() => _changing);
            await state.WriteStateAsync();
        }
    }

    private Task WithdrawAsync() => GrainFactory.Of<ISelectorGrain>(_spec!.Population).Withdraw(JobId);

    /// <summary>Writes the record as it is now; writers take turns, so that an older one never ends up in the place of a newer one.</summary>
    private async Task WriteRecordAsync(long round)
    {
        await Holding.EndedAsync(() => _writing);

        _writing = records.WriteAsync(_records.First(record => record.Round == round), CancellationToken.None);
        await _writing;
    }

    private async Task<JobStatus?> ChangeAsync(JobState from, JobState to, string reason)
    {
        if (state.RecordExists)
        {
            await MoveAsync(from, to, reason);
        }

        return await Status();
    }

    /// <summary>Moves the job from a state to another; false when it is not there (any more). A write that fails moves nothing.</summary>
    private async Task<bool> MoveAsync(JobState from, JobState to, string reason)
    {
        await Holding.EndedAsync(() => _reading);
        if (_stale && _runner is null)
        {
            // No round is in memory: what a failed write left there must not become durable with this one.
            _reading = ReadAgainAsync(CancellationToken.None);
            await _reading;
        }

        if (state.State.State != from)
        {
            return false;
        }

        string before = state.State.Reason;
        (state.State.State, state.State.Reason) = (to, reason);
        try
        {
            _changing = state.WriteStateAsync();
            await _changing;
        }
        catch
        {
            (state.State.State, state.State.Reason, _stale) = (from, before, true);

            // The loop may have seen the change, and ended.
            StartLoop();
            throw;
        }

        events.Publish(new JobChanged(ToStatus()));
        Signal();
        if (to != JobState.Running)
        {
            await WithdrawAsync();
        }

        return true;
    }

    /// <summary>A write that failed may have happened or not: memory goes back to what is durable, and to the tag under which the next write is taken.</summary>
    private async Task ReadAgainAsync(CancellationToken ct)
    {
        await state.ReadStateAsync(ct);
        if (LastRecorded != state.State.LastRound)
        {
            IReadOnlyList<RoundRecord> durable = await records.ReadAllAsync(JobId, state.State.LastRound, ct);
            _records.Clear();
            _records.AddRange(durable);
        }

        _stale = false;
        if (_untold)
        {
            _untold = false;
            events.Publish(new JobChanged(ToStatus()));
        }
    }

    private void Signal()
    {
        _progress.TrySetResult();
        _progress = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private JobStatus ToStatus() => state.State.ToStatus(JobId, _spec!, HasRounds && _failure.Exception is { } e ? JobLog.BrokeOff(_tried, e) : "");
}
