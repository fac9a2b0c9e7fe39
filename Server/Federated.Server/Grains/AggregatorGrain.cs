using Federated.Server.Aggregation;
using Federated.Server.Collection;

namespace Federated.Server.Grains;

/// <summary>
/// Hosts one group's <see cref="RunningSum"/>: updates that arrive while a write is under way are folded together and share the next
/// write, and none is acknowledged before the write that holds it is done.
/// </summary>
internal sealed partial class AggregatorGrain(
    PartialSumStore store, UpdateStaging staging, IGrainFactory grains, TimeProvider time, ILogger<AggregatorGrain> logger)
    : Grain, IAggregatorGrain
{
    // A write may take at most this share of the time between two writes, unless the round only waits for it.
    private const int LingerFactor = 5;
    private static readonly TimeSpan MaxLinger = TimeSpan.FromMilliseconds(250);

    private readonly List<Pending> _pending = [];
    private readonly Dictionary<string, Contribution> _contributions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _durable = new(StringComparer.Ordinal);
    private Pending[] _inHand = [];
    private PartialSum? _partial;
    private RoundStart? _round;
    private Task _pump = Task.CompletedTask;
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan _lastWrite;
    private long _lastWriteEnd;
    private int _writes;
    private bool _sealed;
    private bool _failed;

    private string Key => this.GetPrimaryKeyString();

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _partial = await store.ReadAsync(Key, cancellationToken);
        foreach (Contribution contribution in _partial?.Contributions ?? [])
        {
            _contributions.Add(contribution.DeviceId, contribution);
            _durable.Add(contribution.DeviceId);
        }

        if (_partial is not null)
        {
            LogRestored(Key, _contributions.Count);
        }
    }

    /// <inheritdoc/>
    public async Task<SubmissionAnswer> Screen(Submission submission)
    {
        if (!_contributions.TryGetValue(submission.DeviceId, out Contribution? earlier))
        {
            SubmissionAnswer answer = await Round().Judge(submission);
            return answer == SubmissionAnswer.Welcome && _sealed ? SubmissionAnswer.Late : answer;
        }

        if (earlier.Content.Hex != submission.Sha256)
        {
            return SubmissionAnswer.Conflict;
        }

        // What is folded but not yet durable may not be acknowledged: the device sends it again and waits for the write.
        if (!_durable.Contains(submission.DeviceId))
        {
            return SubmissionAnswer.Welcome;
        }

        // The round may not have heard of it, when what came back from the write did not reach it.
        await Round().Accepted([submission]);
        return SubmissionAnswer.Duplicate;
    }

    /// <inheritdoc/>
    public async Task<SubmissionAnswer> Fold(Submission submission, long stagedId)
    {
        DemandHealthy();
        Pending pending = new(submission, stagedId, new TaskCompletionSource<SubmissionAnswer>(TaskCreationOptions.RunContinuationsAsynchronously));
        _pending.Add(pending);
        _arrival.TrySetResult();
        if (_pump.IsCompleted)
        {
            _pump = PumpAsync();
        }

        return await pending.Answer.Task;
    }

    /// <inheritdoc/>
    public Task<bool> Holds(Submission submission) => Task.FromResult(
        _contributions.TryGetValue(submission.DeviceId, out Contribution? known) && known.Content.Hex == submission.Sha256);

    /// <inheritdoc/>
    public Task<Submission[]> Contributions() =>
        Task.FromResult(_contributions.Values.Where(c => _durable.Contains(c.DeviceId)).Select(c => new Submission(c.DeviceId, c.Content.Hex)).ToArray());

    /// <inheritdoc/>
    public async Task<SealedGroup> Seal()
    {
        _sealed = true;
        _arrival.TrySetResult();
        await _pump;
        DemandHealthy();
        if (_partial is not null)
        {
            // The sum goes to whoever commits it: this grain keeps only who contributed, so that closed rounds hold no tensors.
            if (_contributions.Count > 0)
            {
                store.Offer(Key, _partial);
            }
            else
            {
                store.Return(_partial.Sum);
            }

            _partial = null;
        }

        return new SealedGroup { Count = _contributions.Count, DurableWrites = _writes };
    }

    /// <inheritdoc/>
    public async Task Forget()
    {
        await store.DeleteAsync(Key, CancellationToken.None);
        DeactivateOnIdle();
    }

    private async Task PumpAsync()
    {
        List<Pending> folded = [];
        try
        {
            while (_pending.Count > 0 || folded.Count > 0)
            {
                folded.AddRange(await FoldPendingAsync());
                if (folded.Count == 0 || await LingerAsync(folded.Count))
                {
                    continue;
                }

                await CommitAsync(folded);
                folded.Clear();
            }
        }
        catch (Exception e)
        {
            // The sum in memory may now hold more than the durable one: forget it, and let the devices submit again.
            if (store.Failure.IsNews(e))
            {
                LogFoldFailed(Key, e);
            }

            foreach (Pending pending in folded.Concat(_inHand).Concat(_pending))
            {
                pending.Answer.TrySetException(new InvalidOperationException("The update could not be made durable; submit it again."));
            }

            _pending.Clear();
            _failed = true;
            DeactivateOnIdle();
        }
    }

    /// <summary>Between a failed write and the next activation, which begins from the durable sum, nothing may be taken in.</summary>
    private void DemandHealthy()
    {
        if (_failed)
        {
            throw new InvalidOperationException($"Group {Key} goes back to its durable sum; try again.");
        }
    }

    /// <summary>Folds what has arrived and answers what may not be folded. Staged bytes are free again when it returns.</summary>
    private async Task<List<Pending>> FoldPendingAsync()
    {
        Pending[] batch = _inHand = [.. _pending];
        _pending.Clear();
        if (batch.Length == 0)
        {
            return [];
        }

        _round ??= await Round().Facts() ?? throw new InvalidOperationException($"Round {Key} was never started.");
        if (!_sealed)
        {
            _partial ??= new PartialSum(_round.JobId, _round.Round, group: 0, store.Rent(_round.SumLength));
        }

        SubmissionAnswer[] answers = await Round().Admit(batch.Select(p => p.Submission).ToArray());
        List<Pending> answerable = [];
        List<StagedUpdate> updates = [];
        for (int i = 0; i < batch.Length; i++)
        {
            if (staging.Find(batch[i].StagedId) is not { } staged)
            {
                batch[i].Answer.TrySetException(new InvalidOperationException("Nobody waits for this update any more; submit it again."));
                continue;
            }

            SubmissionAnswer answer = Judge(batch[i].Submission, answers[i], staged);
            if (answer == SubmissionAnswer.Accepted)
            {
                updates.Add(staged);
                _contributions.Add(staged.Contribution!.DeviceId, staged.Contribution);
            }

            // A duplicate of what is not durable yet waits for the same write; any other needs none.
            if (answer == SubmissionAnswer.Accepted || (answer == SubmissionAnswer.Duplicate && !_durable.Contains(batch[i].Submission.DeviceId)))
            {
                answerable.Add(batch[i] with { AfterWrite = answer });
            }
            else
            {
                batch[i].Answer.TrySetResult(answer);
            }
        }

        if (updates.Count > 0)
        {
            PartialSum partial = _partial!;
            await Task.Run(() => partial.Fold([.. updates.Select(u => (u.Contribution!, u.ToPending()))]));
            foreach (StagedUpdate update in updates)
            {
                // The sum has it: its bytes make room for the next upload while the write is still to come.
                update.Dispose();
            }
        }

        _inHand = [];
        return answerable;
    }

    private SubmissionAnswer Judge(Submission submission, SubmissionAnswer admission, StagedUpdate staged)
    {
        if (_contributions.TryGetValue(submission.DeviceId, out Contribution? earlier))
        {
            return earlier.Content.Hex == submission.Sha256 ? SubmissionAnswer.Duplicate : SubmissionAnswer.Conflict;
        }

        if (admission != SubmissionAnswer.Welcome)
        {
            return admission;
        }

        if (_sealed)
        {
            return SubmissionAnswer.Late;
        }

        return _partial!.Sum.CanFold(staged.MaxMagnitude, staged.Contribution!.ExampleCount) ? SubmissionAnswer.Accepted : SubmissionAnswer.OutOfRange;
    }

    /// <summary>Waits a moment for more updates to share the write; true when some have come.</summary>
    private async Task<bool> LingerAsync(int foldedCount)
    {
        if (_pending.Count > 0)
        {
            return !Overdue(foldedCount);
        }

        TimeSpan left = Linger() - time.GetElapsedTime(_lastWriteEnd);
        if (_sealed || left <= TimeSpan.Zero || Overdue(foldedCount) || !staging.AnyUnderWay(_round!.JobId, _round.Round))
        {
            return false;
        }

        _arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _arrival.Task.WaitAsync(left, time);
            return _pending.Count > 0;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private bool Overdue(int foldedCount) =>
        _contributions.Count >= _round!.Goal || foldedCount >= _round.Goal || time.GetElapsedTime(_lastWriteEnd) >= Linger();

    private TimeSpan Linger()
    {
        TimeSpan wanted = LingerFactor * _lastWrite;
        return wanted < MaxLinger ? wanted : MaxLinger;
    }

    private async Task CommitAsync(List<Pending> folded)
    {
        long start = time.GetTimestamp();
        await store.WriteAsync(Key, _partial!, CancellationToken.None);
        store.Failure.Over();
        _lastWriteEnd = time.GetTimestamp();
        _lastWrite = time.GetElapsedTime(start, _lastWriteEnd);
        _writes++;
        await Round().Accepted(folded.Where(p => p.AfterWrite == SubmissionAnswer.Accepted).Select(p => p.Submission).ToArray());
        foreach (Pending pending in folded)
        {
            _durable.Add(pending.Submission.DeviceId);
            pending.Answer.TrySetResult(pending.AfterWrite);
        }
    }

    private IRoundGrain Round() => grains.Of<IRoundGrain>(Key[..Key.LastIndexOf('/')]);

    [LoggerMessage(1, LogLevel.Information, "Group {Group} goes on with {Count} durable contributions")]
    private partial void LogRestored(string group, int count);

    [LoggerMessage(2, LogLevel.Error, "Group {Group} could not make its sum durable; until one is, the same reason is not said again")]
    private partial void LogFoldFailed(string group, Exception exception);

    private sealed record Pending(Submission Submission, long StagedId, TaskCompletionSource<SubmissionAnswer> Answer)
    {
        public SubmissionAnswer AfterWrite { get; init; }
    }
}
