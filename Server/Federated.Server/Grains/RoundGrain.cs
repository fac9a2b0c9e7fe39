using Federated.Server.Rounds;
using Federated.Server.Storage;
using Federated.Shared.Models;

namespace Federated.Server.Grains;

/// <summary>What survives of a round: how it began. Who contributed is in the aggregator's durable sum.</summary>
public sealed class RoundGrainState
{
    /// <summary>The start; null before it.</summary>
    public RoundStart? Start { get; set; }

    /// <summary>How it closed; null while it is open. A closed round never opens again.</summary>
    public RoundClosure? Closure { get; set; }
}

/// <summary>Hosts a <see cref="RoundStateMachine"/> and its deadline.</summary>
internal sealed class RoundGrain(
    [PersistentState("round", StorageNames.Grains)] IPersistentState<RoundGrainState> state,
    IGrainFactory grains,
    IHostApplicationLifetime lifetime,
    TimeProvider time) : Grain, IRoundGrain
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<string> _advertised = new(StringComparer.Ordinal);
    private readonly HashSet<int> _endedGroups = [];
    private RoundStateMachine? _machine;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (state.State.Closure is not null)
        {
            _closed.SetResult();
        }

        if (state.State.Start is not { } start || state.State.Closure is not null)
        {
            return;
        }

        Open(start);
        foreach (Submission submission in await ContributionsAsync(start))
        {
            _machine!.Accepted(submission.DeviceId, ContentHash.Parse(submission.Sha256));
        }

        if (start.Secure is { } secure && _endedGroups.Count == secure.Groups)
        {
            _machine!.CollectionOver();
        }

        SignalIfClosed();
    }

    /// <inheritdoc/>
    public async Task Start(RoundStart start)
    {
        if (_machine is not null)
        {
            return;
        }

        state.State.Start = start;
        await state.WriteStateAsync();
        Open(start);
    }

    /// <inheritdoc/>
    public Task<RoundStart?> Facts() => Task.FromResult(_machine is null && state.State.Closure is null ? null : state.State.Start);

    /// <inheritdoc/>
    public Task<SubmissionAnswer> Judge(Submission submission) =>
        Task.FromResult(AnswerOf(_machine?.Judge(submission.DeviceId, ContentHash.Parse(submission.Sha256)) ?? Closed()));

    /// <inheritdoc/>
    public Task<SubmissionAnswer[]> Admit(Submission[] submissions)
    {
        SubmissionAnswer[] answers = new SubmissionAnswer[submissions.Length];
        for (int i = 0; i < submissions.Length; i++)
        {
            answers[i] = AnswerOf(_machine?.Admit(submissions[i].DeviceId, ContentHash.Parse(submissions[i].Sha256)) ?? Closed());
        }

        return Task.FromResult(answers);
    }

    /// <inheritdoc/>
    public Task Accepted(Submission[] submissions)
    {
        foreach (Submission submission in submissions)
        {
            _machine?.Accepted(submission.DeviceId, ContentHash.Parse(submission.Sha256));
        }

        SignalIfClosed();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task Abort(string deviceId, string reason)
    {
        _machine?.Aborted(deviceId, reason);
        return GaveUpAsync(deviceId);
    }

    /// <inheritdoc/>
    public Task Ahead(string deviceId, long reached)
    {
        _machine?.Ahead(deviceId, reached);
        return GaveUpAsync(deviceId);
    }

    /// <inheritdoc/>
    public Task<bool> IsOpen() => Task.FromResult(_machine is { Decision: null });

    /// <inheritdoc/>
    public async Task Advertised(string deviceId)
    {
        if (state.State.Start is { Secure: { } secure } start && _advertised.Add(deviceId) && _advertised.Count == start.Goal && start.Goal < start.Cohort.Length)
        {
            await Task.WhenAll(Enumerable.Range(0, secure.Groups).Select(group => GroupOf(start, group).CloseKeys()));
        }
    }

    /// <inheritdoc/>
    public Task GroupEnded(int group, Submission[] contributors, string[] members, string lossReason)
    {
        if (_machine is null || state.State.Start is not { Secure: { } secure })
        {
            return Task.CompletedTask;
        }

        foreach (Submission submission in contributors)
        {
            _machine.Accepted(submission.DeviceId, ContentHash.Parse(submission.Sha256));
        }

        foreach (string member in members)
        {
            _machine.Aborted(member, lossReason);
        }

        // A group may say so twice: when it had its sum, and again when it was not sure that it had been heard.
        _endedGroups.Add(group);
        if (_endedGroups.Count == secure.Groups)
        {
            _machine.CollectionOver();
        }

        SignalIfClosed();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<bool> IsOutstanding(string deviceId) => Task.FromResult(_machine?.IsOutstanding(deviceId) ?? false);

    /// <inheritdoc/>
    public Task<string[]> Outstanding() =>
        Task.FromResult(state.State.Start?.Cohort.Where(device => _machine?.IsOutstanding(device) ?? false).ToArray() ?? []);

    /// <inheritdoc/>
    public Task Cancel(string reason)
    {
        _machine?.Cancel(reason);
        SignalIfClosed();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<RoundClosure?> WaitClosed(TimeSpan hold)
    {
        if (!await _closed.Task.ArrivesAsync(hold, time, lifetime.ApplicationStopping))
        {
            return null;
        }

        if (state.State.Closure is null)
        {
            RoundDecision decision = _machine!.Decision!;
            state.State.Closure = new RoundClosure
            {
                Commit = decision is RoundDecision.Commit,
                Reason = decision is RoundDecision.Abandon abandon ? abandon.Reason : "",
                Dropped = new Dictionary<string, int>(_machine.Dropped, StringComparer.Ordinal),
                DropReasons = new Dictionary<string, string>(_machine.DropReasons, StringComparer.Ordinal),
                ReachedRound = _machine.ReachedRound,
                IsOvertaken = _machine.IsOvertaken,
            };
            await state.WriteStateAsync();
        }

        return state.State.Closure;
    }

    /// <inheritdoc/>
    public async Task Forget()
    {
        await state.ClearStateAsync();
        DeactivateOnIdle();
    }

    // A round whose closure was read from the store has no machine any more.
    private SubmissionVerdict Closed() => state.State.Closure is { Commit: false } ? SubmissionVerdict.Abandoned : SubmissionVerdict.Late;

    private static SubmissionAnswer AnswerOf(SubmissionVerdict verdict) => verdict switch
    {
        SubmissionVerdict.Admit => SubmissionAnswer.Welcome,
        SubmissionVerdict.Duplicate => SubmissionAnswer.Duplicate,
        SubmissionVerdict.Conflict => SubmissionAnswer.Conflict,
        SubmissionVerdict.NotSelected => SubmissionAnswer.NotSelected,
        SubmissionVerdict.Abandoned => SubmissionAnswer.Abandoned,
        _ => SubmissionAnswer.Late,
    };

    private void Open(RoundStart start)
    {
        _machine = new RoundStateMachine(new RoundSettings(start.Goal, start.Quorum, start.Cohort));
        TimeSpan left = start.Deadline - time.GetUtcNow();
        this.RegisterGrainTimer(OnDeadline, new GrainTimerCreationOptions
        {
            DueTime = left > TimeSpan.Zero ? left : TimeSpan.Zero,
            Period = Timeout.InfiniteTimeSpan,
            KeepAlive = true,
        });
    }

    private async Task GaveUpAsync(string deviceId)
    {
        SignalIfClosed();
        if (_machine?.Decision is null && state.State.Start is { Secure: { } secure } start && Array.IndexOf(start.Cohort, deviceId) is >= 0 and int index)
        {
            await GroupOf(start, secure.GroupOf[index]).Leave(deviceId);
        }
    }

    private async Task<IReadOnlyList<Submission>> ContributionsAsync(RoundStart start)
    {
        if (start.Secure is not { } secure)
        {
            return await grains.Of<IAggregatorGrain>(GrainKeys.Aggregator(start.JobId, start.Round)).Contributions();
        }

        List<Submission> all = [];
        for (int group = 0; group < secure.Groups; group++)
        {
            Submission[] contributions = await GroupOf(start, group).Contributions();
            all.AddRange(contributions);
            _ = contributions.Length > 0 && _endedGroups.Add(group);
        }

        return all;
    }

    private IGroupGrain GroupOf(RoundStart start, int group) => grains.Of<IGroupGrain>(GrainKeys.Group(start.JobId, start.Round, group));

    private Task OnDeadline(CancellationToken ct)
    {
        _machine?.DeadlineReached();
        SignalIfClosed();
        return Task.CompletedTask;
    }

    private void SignalIfClosed()
    {
        if (_machine?.Decision is not null)
        {
            _closed.TrySetResult();
        }
    }
}
