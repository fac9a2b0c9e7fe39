using System.Diagnostics;

namespace Federated.Simulator.Bench.Groups;

/// <summary>Wall-clock and processor time of this process, added up over several stretches of work.</summary>
internal sealed class CpuSpan
{
    /// <summary>Wall-clock time.</summary>
    public TimeSpan Wall { get; private set; }

    /// <summary>User and kernel time of all threads.</summary>
    public TimeSpan Cpu { get; private set; }

    /// <summary>Does a stretch of work.</summary>
    public void Measure(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        work();
        Cpu += Environment.CpuUsage.TotalTime - cpu;
        Wall += Stopwatch.GetElapsedTime(start);
    }
}
