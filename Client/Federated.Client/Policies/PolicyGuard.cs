using System.Collections.Immutable;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Protos;
using Federated.Training;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Policies;

/// <summary>
/// Applies a policy: asks before every check-in, and in a round looks twice a second and holds training up between two steps. Thread-safe as far as its timer
/// and one round need it.
/// </summary>
internal sealed partial class PolicyGuard : IBeforeCheckIn, IRoundPacing, IDisposable
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _askAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _tellAgain = TimeSpan.FromHours(1);
    private static readonly TimeSpan _longestTellAgain = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _writeEvery = TimeSpan.FromSeconds(10);

    // Shorter waits of the processor's share would be rounded up by the system.
    private static readonly TimeSpan _leastRest = TimeSpan.FromMilliseconds(5);

    private readonly DevicePolicy _policy;
    private readonly Func<DeviceReading> _read;
    private readonly DayUseFile _file;
    private readonly Func<PolicyRefusal, CancellationToken, Task> _tell;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly PolicyVerdict _verdict;
    private readonly Backoff _tellBackoff;
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _open = new(true);
    private readonly long _began;
    private ImmutableArray<PolicyRefusal> _refusals = [];
    private DayUse _use;
    private double? _watts;
    private TimeSpan _written;
    private TimeSpan? _pausedSince;
    private TimeSpan _debt;
    private PolicyRefusal? _end;
    private bool _disposed;
    private string _told = "";
    private TimeSpan _toldAt;

    /// <summary>Applies a policy.</summary>
    /// <param name="policy">The demands, checked.</param>
    /// <param name="read">Reads the sensors.</param>
    /// <param name="useFile">Keeps the day's use; null keeps it in memory.</param>
    /// <param name="tell">Tells the server why the device stays away.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="log">A line when the policy turns.</param>
    public PolicyGuard(
        DevicePolicy policy,
        Func<DeviceReading> read,
        string? useFile,
        Func<PolicyRefusal, CancellationToken, Task> tell,
        TimeProvider time,
        ILogger log)
    {
        _policy = policy;
        _read = read;
        _file = new DayUseFile(useFile);
        _tell = tell;
        _time = time;
        _log = log;
        _verdict = new PolicyVerdict(policy);
        _tellBackoff = new Backoff(_askAgain, _longestTellAgain, time, Environment.MachineName);
        _began = time.GetTimestamp();
        _use = _file.Read() ?? new DayUse(Today, 0, 0);
    }

    /// <inheritdoc/>
    public bool IsOpen => _open.IsSet && Volatile.Read(ref _end) is null;

    private DateOnly Today => DateOnly.FromDateTime(_time.GetLocalNow().DateTime);

    private TimeSpan Elapsed => _time.GetElapsedTime(_began);

    /// <inheritdoc/>
    public async ValueTask<TimeSpan?> AskAsync(CancellationToken cancellationToken)
    {
        ImmutableArray<PolicyRefusal> refusals = Look();
        if (refusals.IsEmpty)
        {
            _told = "";
            return null;
        }

        string reasons = string.Join(' ', refusals.Select(refusal => refusal.Reason));
        if (reasons != _told || Elapsed - _toldAt >= _tellAgain)
        {
            try
            {
                await _tell(refusals[0], cancellationToken).ConfigureAwait(false);
                _told = reasons;
                _toldAt = Elapsed;
                _tellBackoff.Reset();
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
                // The server learns it when it can be reached again. A fleet whose quiet hours have begun must not call it all at once.
                TimeSpan pause = _tellBackoff.Next();
                LogNotTold(_log, pause.TotalSeconds, FailureText.Of(e));
                return pause > _askAgain ? pause : _askAgain;
            }
        }

        return _askAgain;
    }

    /// <inheritdoc/>
    public IDisposable Begin()
    {
        lock (_lock)
        {
            _pausedSince = null;
            _end = null;
        }

        Watch();
        return new Round(this, _time.CreateTimer(_ => Watch(), null, _period, _period));
    }

    /// <inheritdoc/>
    public async ValueTask PassAsync(CancellationToken cancellationToken)
    {
        while (!_open.IsSet)
        {
            await Task.Delay(_period, _time, cancellationToken).ConfigureAwait(false);
        }

        ThrowIfEnded();
    }

    /// <inheritdoc/>
    public IModelWorkspace Pace(IModelWorkspace workspace, CancellationToken cancellationToken) => new PacedWorkspace(
        workspace,
        () =>
        {
            // Training runs on a thread of its own, between whose steps there is nothing to await.
            _open.Wait(cancellationToken);
            ThrowIfEnded();
        },
        took => Account(took, cancellationToken),
        _time);

    /// <summary>Keeps what the day has used.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _file.Write(_use);
            _open.Dispose();
        }
    }

    /// <summary>Judges the device now; a turn is logged.</summary>
    private ImmutableArray<PolicyRefusal> Look()
    {
        lock (_lock)
        {
            DeviceReading reading = _read();
            _watts = reading.Watts;
            ImmutableArray<PolicyRefusal> refusals = _verdict.Next(
                reading, _use.On(Today), TimeOnly.FromDateTime(_time.GetLocalNow().DateTime), Elapsed);
            if (!refusals.Select(refusal => refusal.Reason).SequenceEqual(_refusals.Select(refusal => refusal.Reason)))
            {
                if (refusals.IsEmpty)
                {
                    LogAllowed(_log);
                }
                else
                {
                    LogForbidden(_log, string.Join(' ', refusals.Select(refusal => refusal.Detail)));
                }
            }

            _refusals = refusals;
            return refusals;
        }
    }

    private void Watch()
    {
        ImmutableArray<PolicyRefusal> refusals = Look();
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            if (refusals.IsEmpty)
            {
                _pausedSince = null;
                _open.Set();
                return;
            }

            _pausedSince ??= Elapsed;
            _end ??= refusals.FirstOrDefault(refusal => refusal.EndsRound);
            if (Elapsed - _pausedSince >= TimeSpan.FromSeconds(_policy.MaxPauseSeconds))
            {
                _end ??= refusals[0];
            }

            if (_end is null)
            {
                _open.Reset();
            }
            else
            {
                // Whoever waits finds the end.
                _open.Set();
            }
        }
    }

    private void ThrowIfEnded()
    {
        if (Volatile.Read(ref _end) is { } end)
        {
            throw new RoundAbortException(AbortReason.Policy, end.Detail) { Policy = end.Reason };
        }
    }

    private void Account(TimeSpan took, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _use = _use.Plus(Today, took.TotalSeconds, took.TotalSeconds * (_watts ?? _policy.WattsWhileTraining));
            if (Elapsed - _written >= _writeEvery)
            {
                _written = Elapsed;
                _file.Write(_use);
            }
        }

        _debt += took * ((1 / _policy.ProcessorShare) - 1);
        if (_debt >= _leastRest)
        {
            // What a step took from others it gives back before the next one.
            long began = _time.GetTimestamp();
            if (cancellationToken.WaitHandle.WaitOne(_debt))
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            _debt -= _time.GetElapsedTime(began);
        }
    }

    private void End()
    {
        lock (_lock)
        {
            _open.Set();
            _file.Write(_use);
        }
    }

    [LoggerMessage(120, LogLevel.Information, "The device may train again.")]
    private static partial void LogAllowed(ILogger log);

    [LoggerMessage(122, LogLevel.Warning, "The server could not be told that the device stays away; next try in {Seconds:F1} s. {Detail}")]
    private static partial void LogNotTold(ILogger log, double seconds, string detail);

    [LoggerMessage(121, LogLevel.Information, "The device must not train now. {Why}")]
    private static partial void LogForbidden(ILogger log, string why);

    private sealed class Round(PolicyGuard guard, ITimer timer) : IDisposable
    {
        public void Dispose()
        {
            timer.Dispose();
            guard.End();
        }
    }
}
