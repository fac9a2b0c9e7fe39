using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Training;

namespace Federated.Client.Session;

/// <summary>
/// A device's meeting with its server: one check-in and, if the device is assigned, one round. Reusable, one call at a time; the link, the
/// model cache and the examples may be shared with other sessions.
/// </summary>
public sealed class ClientSession
{
    private readonly ClientIdentity _identity;
    private readonly IServerLink _link;
    private readonly ModelCache _models;
    private readonly IExampleSource _examples;
    private readonly SessionOptions _options;
    private readonly TimeProvider _time;
    private readonly ISessionObserver _observer;
    private readonly DeviceMemory _memory;
    private readonly GroupMembership? _enrollment;
    private readonly IRoundPacing? _pacing;
    private readonly Backoff _backoff;
    private int _running;

    /// <summary>A session of one device.</summary>
    /// <param name="identity">Who checks in.</param>
    /// <param name="link">The way to the server; not disposed here.</param>
    /// <param name="models">Where packages come from; not disposed here.</param>
    /// <param name="examples">What is trained on; at most <see cref="ProtocolLimits.MaxExamples"/>.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="time">Deadlines and waits.</param>
    /// <param name="observer">Is told where the session stands; nobody when null.</param>
    /// <param name="memory">What the device remembers between rounds; in memory alone when null.</param>
    /// <param name="enrollment">Keys for secure aggregation; when null, rounds under it are given up.</param>
    /// <exception cref="ArgumentException">There are more examples than one update may speak for.</exception>
    public ClientSession(
        ClientIdentity identity,
        IServerLink link,
        ModelCache models,
        IExampleSource examples,
        SessionOptions options,
        TimeProvider time,
        ISessionObserver? observer = null,
        DeviceMemory? memory = null,
        GroupMembership? enrollment = null)
        : this(identity, link, models, examples, options, time, observer, memory, enrollment, null)
    {
    }

    /// <summary>The same, for a device whose rounds may be held up by its own policy.</summary>
    internal ClientSession(
        ClientIdentity identity,
        IServerLink link,
        ModelCache models,
        IExampleSource examples,
        SessionOptions options,
        TimeProvider time,
        ISessionObserver? observer,
        DeviceMemory? memory,
        GroupMembership? enrollment,
        IRoundPacing? pacing)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(models);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (examples.Count > ProtocolLimits.MaxExamples)
        {
            throw new ArgumentException(
                $"The device has {examples.Count} examples, the limit is {ProtocolLimits.MaxExamples}. Take a slice.", nameof(examples));
        }

        _identity = identity;
        _link = link;
        _models = models;
        _examples = examples;
        _options = options;
        _time = time;
        _observer = observer ?? SilentObserver.Instance;
        _memory = memory ?? new DeviceMemory();
        _enrollment = enrollment;
        _pacing = pacing;
        _backoff = new Backoff(options.FirstBackoff, options.LongestBackoff, time, identity.DeviceId);
    }

    /// <summary>Checks in and, if assigned, does the round.</summary>
    /// <exception cref="ServerLinkException">The check-in failed. Failures after the assignment are reported, not thrown.</exception>
    /// <exception cref="OperationCanceledException">
    /// The token was cancelled. An assigned round has then been reported to the server as interrupted, as far as it could be reached
    /// within <see cref="SessionOptions.InterruptTimeout"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">The session is running already.</exception>
    public async Task<SessionReport> RunOnceAsync(CancellationToken ct)
    {
        if (Interlocked.Exchange(ref _running, 1) != 0)
        {
            throw new InvalidOperationException("The session is running already; a device is in one round at a time.");
        }

        try
        {
            SessionReport report = await MeetAsync(ct).ConfigureAwait(false);
            await _observer.EndedAsync(_identity, report, CancellationToken.None).ConfigureAwait(false);

            // Given up because a person stops the process; anything that came to an end by itself is told as such.
            return report.Result == SessionResult.Aborted && ct.IsCancellationRequested ? throw new OperationCanceledException(ct) : report;
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    private async Task<SessionReport> MeetAsync(CancellationToken ct)
    {
        ByteCounter checkIn = new();
        CheckInReply reply = await _link
            .CheckInAsync(CheckInRequest(), _options.CheckInHold + _options.CheckInMargin, checkIn, ct).ConfigureAwait(false);
        long assignedAt = _time.GetTimestamp();
        switch (reply.AnswerCase)
        {
            case CheckInReply.AnswerOneofCase.Assignment:
                ByteCounter counter = new();
                counter.Add(0, checkIn.Down);
                return await FollowAsync(reply.Assignment, assignedAt, counter, ct).ConfigureAwait(false);
            case CheckInReply.AnswerOneofCase.Retry:
                return new SessionReport(
                    SessionResult.NoAssignment,
                    TimeSpan.FromMilliseconds(reply.Retry.AfterMs),
                    null,
                    SubmitOutcome.Unspecified,
                    reply.Retry.Reason.ToString(),
                    null,
                    0,
                    0);
            default:
                throw new ServerLinkException("The server answered the check-in with neither an assignment nor a retry. Update the client.", retriable: true);
        }
    }

    private async Task<SessionReport> FollowAsync(Assignment assignment, long assignedAt, ByteCounter counter, CancellationToken ct)
    {
        PlanDocument plan;
        try
        {
            plan = PlanDocument.FromBytes(assignment.Plan.Memory);
            if (plan.JobId != assignment.JobId || (ulong)plan.Round != assignment.Round)
            {
                throw new ProtocolViolationException(
                    ErrorCode.MalformedDocument,
                    $"The assignment is to round {assignment.Round} of job '{assignment.JobId}', its plan to round {plan.Round} of '{plan.JobId}'.");
            }
        }
        catch (ProtocolViolationException e)
        {
            return await AbortAsync(assignment, null, new RoundAbortException(AbortReason.UnsupportedPlan, FailureText.Of(e), e), null, counter).ConfigureAwait(false);
        }

        _backoff.Reset();
        long deadline = assignedAt + (long)(plan.Deadline.TotalSeconds * _time.TimestampFrequency);
        TransferScope scope = new(_link, _identity.DeviceId, counter, _backoff, deadline, _time) { Pacing = _pacing };
        AssignedRound round = new(
            _identity, plan, _models, _examples, _memory, _enrollment, _pacing, scope, _time, _observer, _options);
        using CancellationTokenSource closing = new(scope.Remaining, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, closing.Token);
        try
        {
            SubmitReply reply = await round.RunAsync(either.Token).ConfigureAwait(false);
            bool counts = reply.Outcome is SubmitOutcome.Accepted or SubmitOutcome.Duplicate;
            if (WouldBeRefusedAgain(reply.Outcome))
            {
                // Training repeats bit for bit, so another try in this round would end alike: the round need not wait for it.
                AbortReport report = Report(assignment, AbortReason.TrainingFailed, $"{reply.Outcome}: {reply.Detail}");
                await ReportAbortAsync(report, _options.AbortTimeout, counter).ConfigureAwait(false);
            }

            return new SessionReport(
                counts ? SessionResult.Accepted : SessionResult.Refused,
                counts ? TimeSpan.Zero : _options.PauseAfterFailure,
                plan,
                reply.Outcome,
                reply.Detail,
                round.Training,
                counter.Up,
                counter.Down);
        }
        catch (Exception e) when (e is not ServerLinkException)
        {
            // Whatever it is, the round must not wait for this device.
            return await AbortAsync(assignment, plan, AbortOf(e, plan, ct), round.Training, counter).ConfigureAwait(false);
        }
    }

    private static bool WouldBeRefusedAgain(SubmitOutcome outcome) =>
        outcome is SubmitOutcome.NotFinite or SubmitOutcome.OutOfRange or SubmitOutcome.Malformed or SubmitOutcome.Oversized;

    private AbortReport Report(Assignment assignment, AbortReason reason, string detail) => new()
    {
        DeviceId = _identity.DeviceId,
        JobId = assignment.JobId,
        Round = assignment.Round,
        Reason = reason,
        Detail = OneLine(detail),
    };

    private static RoundAbortException AbortOf(Exception exception, PlanDocument plan, CancellationToken ct) => exception switch
    {
        RoundAbortException e => e,
        SimulatedLossException e => new RoundAbortException(AbortReason.SimulatedLoss, e.Message, e),
        OperationCanceledException when ct.IsCancellationRequested => new RoundAbortException(AbortReason.Interrupted, "The client was stopped.", exception),
        OperationCanceledException => new RoundAbortException(
            AbortReason.TransferFailed,
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The round's {plan.Deadline.TotalSeconds:0.###} s were over before the device was done."),
            exception),
        OutOfMemoryException => new RoundAbortException(AbortReason.OutOfMemory, "The device has too little memory for this model.", exception),
        _ => RoundAbortException.OfTraining(exception),
    };

    private async Task<SessionReport> AbortAsync(
        Assignment assignment,
        PlanDocument? plan,
        RoundAbortException abort,
        LocalTrainingResult? training,
        ByteCounter counter)
    {
        AbortReport report = Report(assignment, abort.Reason, abort.Told);
        report.Policy = abort.Policy;
        report.ReachedRound = (ulong)abort.ReachedRound;
        await ReportAbortAsync(
            report, abort.Reason == AbortReason.Interrupted ? _options.InterruptTimeout : _options.AbortTimeout, counter).ConfigureAwait(false);
        return new SessionReport(
            SessionResult.Aborted,
            _options.PauseAfterFailure,
            plan,
            SubmitOutcome.Unspecified,
            $"{abort.Reason}: {OneLine(abort.Message)}",
            training,
            counter.Up,
            counter.Down);
    }

    // Best effort: a server that does not hear of it waits for its own deadline.
    private async Task ReportAbortAsync(AbortReport report, TimeSpan timeout, ByteCounter counter)
    {
        using CancellationTokenSource giveUp = new(timeout, _time);
        while (true)
        {
            try
            {
                await _link.ReportAbortAsync(report, timeout, counter, giveUp.Token).ConfigureAwait(false);
                return;
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
            }
            catch (Exception e) when (e is ServerLinkException or OperationCanceledException)
            {
                return;
            }

            try
            {
                await _backoff.WaitAsync(giveUp.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Tells the server why the device stays away.</summary>
    /// <exception cref="ServerLinkException">It could not be told.</exception>
    internal async Task WithholdAsync(PolicyReason reason, string detail, CancellationToken ct)
    {
        CheckInRequest request = CheckInRequest();
        request.MaxHoldMs = 0;
        request.Withheld = reason;
        request.WithheldDetail = OneLine(detail);
        _ = await _link.CheckInAsync(request, _options.CheckInMargin, new ByteCounter(), ct).ConfigureAwait(false);
    }

    private CheckInRequest CheckInRequest()
    {
        CheckInRequest request = new()
        {
            ProtocolVersion = ProtocolLimits.Version,
            DeviceId = _identity.DeviceId,
            Population = _identity.Population,
            ClientVersion = _options.ClientVersion,
            Engine = _options.Engine,
            MaxHoldMs = (uint)_options.CheckInHold.TotalMilliseconds,
        };
        foreach ((string name, string value) in _identity.Labels)
        {
            request.Labels.Add(name, value);
        }

        return request;
    }

    private static string OneLine(string text)
    {
        string line = string.Concat(text.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? ' ' : c));
        return line.Length <= ProtocolLimits.MaxTextLength ? line : line[..ProtocolLimits.MaxTextLength];
    }
}
