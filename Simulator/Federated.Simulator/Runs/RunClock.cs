using System.Diagnostics;

namespace Federated.Simulator.Runs;

/// <summary>Measures a run from the submission of its job, by the wall clock and by processor time.</summary>
internal sealed class RunClock
{
    private readonly TimeProvider _time;
    private readonly long _submitted;
    private readonly TimeSpan _cpuBefore = Environment.CpuUsage.TotalTime;
    private long? _stopped;
    private TimeSpan _cpuAfter;

    /// <summary>Starts now.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="started">Its timestamp when the run began, before the submission.</param>
    public RunClock(TimeProvider time, long started)
    {
        _time = time;
        _submitted = time.GetTimestamp();
        SetupSeconds = time.GetElapsedTime(started, _submitted).TotalSeconds;
    }

    /// <summary>From the beginning of the run to the submission.</summary>
    public double SetupSeconds { get; }

    /// <summary>Since the submission, or from it to the stop.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_submitted, _stopped ?? _time.GetTimestamp());

    /// <summary>Processor seconds of this process from the submission to the stop.</summary>
    public double CpuSeconds => _cpuAfter.TotalSeconds - _cpuBefore.TotalSeconds;

    /// <summary>Largest resident memory of this process so far.</summary>
    public static long PeakMemoryBytes()
    {
        using Process here = Process.GetCurrentProcess();
        return here.PeakWorkingSet64;
    }

    /// <summary>The job has ended; only the first call counts.</summary>
    public void Stop()
    {
        if (_stopped is null)
        {
            _stopped = _time.GetTimestamp();
            _cpuAfter = Environment.CpuUsage.TotalTime;
        }
    }
}
