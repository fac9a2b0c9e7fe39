using Federated.Server.Aggregation;
using Federated.Server.Collection;
using Federated.Server.Hosting;
using Federated.Server.Rounds;
using Federated.Server.SecureAggregation;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.Grains;

/// <summary>
/// Hosts one group's <see cref="GroupDesk"/>: time, durability, and what the round is told. Before anybody is asked for a masked input the
/// group is durable, and a server that was killed goes on with it; a group killed earlier begins again under a new header and with fresh
/// keys. The survivors are durable before anybody is told them, so that no second set of them is ever told.
/// </summary>
/// <remarks>
/// Longer than a file should be: what is left here interleaves on one scheduler, and which await lets others in can only be judged with all of it in view.
/// Rules, tally, header, opening and signal have files of their own.
/// </remarks>
internal sealed class GroupGrain(
    MaskedGroupStore masked,
    PartialSumStore sums,
    UpdateStaging staging,
    ServerKey serverKey,
    IEnrolledDevices devices,
    ServerThreads threads,
    IGrainFactory grains,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<GroupGrain> logger) : Grain, IGroupGrain
{
    private const string LostInGroup = "lost-in-group";

    // How long the last step waits for members whose shares are not needed, only what they report.
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(1);

    private readonly ChangeSignal _changes = new();
    private GroupDesk? _desk;
    private MaskedGroupDocument? _restored;
    private Dictionary<string, GroupServerMessage> _restoredShares = [];
    private PartialSum? _partial;
    private RefusedSum? _refused;
    private Submission[] _contributions = [];
    private RoundStart? _round;
    private GroupTally? _tally;
    private Task? _opening;
    private Task _writing = Task.CompletedTask;
    private IGrainTimer? _timer;
    private long _inputs;
    private long _durableInputs;
    private int _writes;
    private bool _closing;
    private bool _failed;

    private string Key => this.GetPrimaryKeyString();

    private int Group => int.Parse(Key.AsSpan(Key.LastIndexOf('/') + 1), System.Globalization.CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // The round is not asked here: it asks for contributions while it is activated itself.
        _partial = await sums.ReadAsync(Key, cancellationToken);
        _contributions = [.. (_partial?.Contributions ?? []).Select(SubmissionOf)];
        _refused = _partial is null ? await masked.ReadRefusedAsync(Key, cancellationToken) : null;
        try
        {
            _restored = _partial is null ? await masked.ReadAsync(Key, cancellationToken) : null;
        }
        catch (ProtocolViolationException e) when (e.Code == ErrorCode.UnsupportedVersion)
        {
            // Written by an older server. The group begins anew, with fresh keys; whoever has sent a masked input stays away from it by itself.
            GroupLog.Failed(logger, Key, e);
        }

        _restoredShares = _restored?.Step == ServerStep.CollectingInputs ? await masked.ReadSharesAsync(Key, cancellationToken) : [];
    }

    /// <inheritdoc/>
    public async Task Open()
    {
        DemandHealthy();
        _opening = _opening is null or { IsFaulted: true } ? OpenAsync() : _opening;
        await _opening;
    }

    /// <inheritdoc/>
    public async Task<byte[]> Exchange(GroupAsk ask, byte[]? message)
    {
        await Open();
        if (_desk is not { } desk)
        {
            return _contributions.Any(contribution => contribution.DeviceId == ask.DeviceId)
                ? Standing(GroupStanding.Counted, "")
                : Standing(GroupStanding.LeftOut, "The group is over.");
        }

        GroupClientMessage? answer = message is null ? null : GroupClientMessage.Parser.ParseFrom(message);
        long began = time.GetTimestamp();
        while (true)
        {
            DemandHealthy();
            Task changed = _changes.Next;
            if (!_closing && answer is not null)
            {
                if (desk.Take(ask.DeviceId, answer) is { } reply)
                {
                    ProgressSoon();
                    return reply.ToByteArray();
                }

                _tally?.Note(ask);
                if (answer.Keys is not null && desk.Step == ServerStep.CollectingKeys)
                {
                    await Round().Advertised(ask.DeviceId);
                }

                answer = null;
                await ProgressAsync();
                continue;
            }

            if (!_closing && desk.StandingOf(ask.DeviceId, (GroupStep)ask.Awaits) is { } standing)
            {
                return standing.ToByteArray();
            }

            TimeSpan left = ask.Hold - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || !await changed.ArrivesAsync(left, time, lifetime.ApplicationStopping))
            {
                return Standing(GroupStanding.Wait, "");
            }
        }
    }

    /// <inheritdoc/>
    public async Task<SubmissionAnswer> Screen(string deviceId)
    {
        await Open();
        await StepClosedAsync();

        return _desk?.Step switch
        {
            ServerStep.CollectingInputs => SubmissionAnswer.Welcome,
            ServerStep.Abandoned => SubmissionAnswer.Abandoned,
            _ when IsSurvivor(deviceId) => SubmissionAnswer.Duplicate,
            _ => SubmissionAnswer.Late,
        };
    }

    /// <inheritdoc/>
    public async Task<SubmissionAnswer> Add(string deviceId, long stagedId)
    {
        await Open();
        await StepClosedAsync();

        DemandHealthy();
        StagedUpdate staged = staging.Get(stagedId);
        MemberReply reply = _desk?.TakeInput(deviceId, GroupClientMessage.Parser.ParseFrom(staged.Values.Span))
            ?? new MemberReply(MemberOutcome.Unexpected, "");
        switch (reply.Outcome)
        {
            case MemberOutcome.Accepted:
                _tally!.Add(deviceId, staged.Contribution!);
                _inputs++;
                await MakeDurableAsync();
                await ProgressAsync();
                return SubmissionAnswer.Accepted;
            case MemberOutcome.Duplicate:
                await MakeDurableAsync();
                return SubmissionAnswer.Duplicate;
            case MemberOutcome.Malformed or MemberOutcome.WrongSession:
                GroupLog.Refused(logger, Key, deviceId, reply.Detail);
                return SubmissionAnswer.Malformed;
            default:
                return _desk?.Step == ServerStep.Abandoned ? SubmissionAnswer.Abandoned : SubmissionAnswer.Late;
        }
    }

    /// <inheritdoc/>
    public async Task CloseKeys()
    {
        await Open();
        if (_desk?.Step == ServerStep.CollectingKeys && !_closing)
        {
            await CloseStepAsync();
        }
    }

    /// <inheritdoc/>
    public async Task Leave(string deviceId)
    {
        await Open();
        await StepClosedAsync();

        _desk?.Leave(deviceId);
        ProgressSoon();
    }

    /// <inheritdoc/>
    public Task<Submission[]> Contributions() => Task.FromResult(_contributions);

    /// <inheritdoc/>
    public async Task<SealedGroup> Seal()
    {
        await Open();
        await StepClosedAsync();

        DemandHealthy();
        if (_desk is { IsOver: false } desk)
        {
            desk.Abandon("the round closed before the group had its sum");
            _changes.Set();
            await _writing;
            await masked.DeleteAsync(Key, CancellationToken.None);
        }

        _timer?.Dispose();
        int count = _contributions.Length;
        if (_partial is not null)
        {
            sums.Offer(Key, _partial);
            _partial = null;
        }

        return new SealedGroup
        {
            Count = count,
            DurableWrites = _writes,
            Abandoned = _desk?.AbandonReason ?? _refused?.Reason,
            Refused = _refused?.Devices ?? [],
        };
    }

    /// <inheritdoc/>
    public async Task Forget()
    {
        await masked.ForgetAsync(Key, CancellationToken.None);
        await sums.DeleteAsync(Key, CancellationToken.None);
        DeactivateOnIdle();
    }

    private static byte[] Standing(GroupStanding standing, string detail) => new GroupReply { Standing = standing, Detail = detail }.ToByteArray();

    private static Submission SubmissionOf(Contribution contribution) => new(contribution.DeviceId, contribution.Content.Hex);

    private async Task OpenAsync()
    {
        RoundStart start = await Round().Facts() ?? throw new InvalidOperationException($"The round of group {Key} was never started.");
        bool open = await Round().IsOpen();
        bool over = _contributions.Length > 0 || _refused is not null;
        if (open && over)
        {
            // Its end was durable, and perhaps it could not tell the round any more.
            await Round().GroupEnded(Group, _contributions, _refused?.Devices ?? [], RoundStateMachine.GroupAbandonedReason);
        }

        if (!open || over)
        {
            return;
        }

        GroupOpening opening = new(Key, Group, start);
        ServerTerms terms = new(devices, threads.Count);
        if (_restored is { } document)
        {
            (_desk, _tally) = opening.Restore(document, _restoredShares, terms);
            GroupLog.Restored(logger, Key, document.Group.Survivors.Count, document.Step);
        }
        else
        {
            (_desk, _tally) = opening.Begin(await serverKey.GetAsync(CancellationToken.None), terms);
        }

        _round = start;
        ArmTimer();
    }

    /// <summary>Waits while a step is being closed: nobody touches the desk meanwhile.</summary>
    private async Task StepClosedAsync()
    {
        while (_closing)
        {
            await _changes.Next;
        }
    }

    private async Task ProgressAsync()
    {
        while (!_closing && !_failed && _desk is { IsStepComplete: true })
        {
            await CloseStepAsync();
        }

        if (!_closing && _desk is { IsStepSufficient: true, IsStepComplete: false })
        {
            ArmTimer(_grace);
        }
    }

    private void ProgressSoon() => this.RegisterGrainTimer(
        _ => ProgressAsync(),
        new GrainTimerCreationOptions { DueTime = TimeSpan.Zero, Period = Timeout.InfiniteTimeSpan, Interleave = true });

    private async Task CloseStepAsync()
    {
        GroupDesk desk = _desk!;
        _closing = true;
        try
        {
            // A write of an earlier state must not land after that of the next one.
            await _writing;

            // Off the grain's scheduler, because unmasking takes time. Nobody touches the desk meanwhile.
            await Task.Run(desk.CloseStep);
            if (desk.Step == ServerStep.CollectingInputs)
            {
                await masked.WriteSharesAsync(Key, desk.Outbox, CancellationToken.None);
            }

            if (desk.Step is ServerStep.CollectingInputs or ServerStep.CollectingSignatures)
            {
                await masked.WriteAsync(Key, desk.ToDocument()!, CancellationToken.None);
                _writes++;
                _durableInputs = _inputs;
            }
            else if (desk.IsOver)
            {
                await EndAsync(desk);
            }
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
        finally
        {
            _closing = false;
            _changes.Set();
        }

        ArmTimer();
    }

    private async Task EndAsync(GroupDesk desk)
    {
        if (desk.Sum is { } sum && TotalOf(sum) is { } partial)
        {
            await sums.WriteAsync(Key, partial, CancellationToken.None);
            _writes++;
            _partial = partial;
            _contributions = [.. partial.Contributions.Select(SubmissionOf)];
            if (sum.WrongShares is { } wrong)
            {
                GroupLog.WrongShares(logger, Key, wrong);
            }
        }
        else
        {
            if (_refused is not null)
            {
                await masked.WriteRefusedAsync(Key, _refused, CancellationToken.None);
            }

            GroupLog.Abandoned(logger, Key, desk.AbandonReason ?? "");
        }

        await masked.DeleteAsync(Key, CancellationToken.None);
        await Round().GroupEnded(Group, _contributions, [.. desk.Advertised], desk.Sum is null ? RoundStateMachine.GroupAbandonedReason : LostInGroup);
    }

    /// <summary>The sum as the round adds it up; null, and the group abandoned, when members that follow the round cannot have made it.</summary>
    private PartialSum? TotalOf(GroupSum sum)
    {
        try
        {
            return _tally!.Total(sum);
        }
        catch (ProtocolViolationException e)
        {
            _desk!.Refuse(e.Message);
            _refused = new RefusedSum(e.Message, [.. sum.Contributors]);
            return null;
        }
    }

    private bool IsSurvivor(string deviceId) =>
        _contributions.Any(contribution => contribution.DeviceId == deviceId)
        || (_desk?.ToDocument() is { } document && document.Group.Survivors.Contains(document.Group.Roll.NumberOf(deviceId)));

    /// <summary>Waits until every input so far is in a durable sum; inputs that wait together share a write.</summary>
    private async Task MakeDurableAsync()
    {
        long wanted = _inputs;
        while (_durableInputs < wanted)
        {
            DemandHealthy();
            if (_closing)
            {
                await _changes.Next;
                continue;
            }

            if (_writing.IsCompleted)
            {
                _writing = WriteAsync();
            }

            await _writing;
        }
    }

    private async Task WriteAsync()
    {
        long inputs = _inputs;
        try
        {
            if (_desk!.ToDocument() is { } document)
            {
                await masked.WriteAsync(Key, document, CancellationToken.None);
                _writes++;
            }

            _durableInputs = Math.Max(_durableInputs, inputs);
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
    }

    private void ArmTimer(TimeSpan? due = null)
    {
        _timer?.Dispose();
        _timer = null;
        if (_desk is not { IsOver: false } desk)
        {
            return;
        }

        ServerStep step = desk.Step;
        TimeSpan wait = due ?? (step == ServerStep.CollectingKeys ? _round!.Secure!.KeysUntil - time.GetUtcNow() : _round!.Secure!.StepTime);
        _timer = this.RegisterGrainTimer(
            _ => step == desk.Step && !_closing ? CloseStepAsync() : Task.CompletedTask,
            new GrainTimerCreationOptions
            {
                DueTime = wait > TimeSpan.Zero ? wait : TimeSpan.Zero,
                Period = Timeout.InfiniteTimeSpan,
                KeepAlive = true,
                Interleave = true,
            });
    }

    /// <summary>The next activation begins from what is durable.</summary>
    private void Fail(Exception e)
    {
        GroupLog.Failed(logger, Key, e);
        _failed = true;
        DeactivateOnIdle();
    }

    /// <summary>Between a failed write and the next activation, which begins from what is durable, nothing may be taken in.</summary>
    private void DemandHealthy()
    {
        if (_failed)
        {
            throw new InvalidOperationException($"Group {Key} goes back to what is durable of it; try again.");
        }
    }

    private IRoundGrain Round() => grains.Of<IRoundGrain>(Key[..Key.LastIndexOf('/')]);
}
