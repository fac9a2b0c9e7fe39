using System.Diagnostics;

namespace Federated.Simulator.Runs;

/// <summary>Measures a run from the submission of its job, by the wall clock and by processor time, over all processes it took.</summary>
internal sealed class RunClock
{
    private readonly TimeProvider _time;
    private readonly long _submitted;
    private readonly TimeSpan _cpuBefore = Environment.CpuUsage.TotalTime;
    private readonly RunState? _earlier;
    private long? _stopped;
    private TimeSpan? _cpuAfter;

    /// <summary>Starts now.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="started">Its timestamp when the run began, before the submission.</param>
    /// <param name="earlier">Where earlier processes left the run; null in its first.</param>
    public RunClock(TimeProvider time, long started, RunState? earlier)
    {
        _time = time;
        _earlier = earlier;
        _submitted = time.GetTimestamp();
        SetupSeconds = time.GetElapsedTime(started, _submitted).TotalSeconds;
    }

    /// <summary>Whether the job had ended before this process: what it takes to tell that again is no part of the run.</summary>
    public bool IsOver { get; init; }

    /// <summary>From the beginning of the run to the submission.</summary>
    public double SetupSeconds { get; }

    /// <summary>Since the submission, or from it to the stop, without the time in which no process ran.</summary>
    public TimeSpan Elapsed => TimeSpan.FromSeconds(_earlier?.WallSeconds ?? 0)
        + (IsOver ? TimeSpan.Zero : _time.GetElapsedTime(_submitted, _stopped ?? _time.GetTimestamp()));

    /// <summary>Processor seconds since the submission, or from it to the stop.</summary>
    public double CpuSeconds =>
        (_earlier?.CpuSeconds ?? 0) + (IsOver ? 0 : ((_cpuAfter ?? Environment.CpuUsage.TotalTime) - _cpuBefore).TotalSeconds);

    /// <summary>Largest resident memory of the run so far.</summary>
    public long PeakMemoryBytes => Math.Max(_earlier?.PeakMemoryBytes ?? 0, IsOver ? 0 : ProcessPeakMemoryBytes());

    /// <summary>Largest resident memory of this process so far.</summary>
    public static long ProcessPeakMemoryBytes()
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
