using System.Diagnostics;

namespace Federated.Client.Session;

/// <summary>Peak working set of the process. Reading it parses a file of the kernel, so that a second's age is accepted. Thread-safe.</summary>
internal static class ProcessMemory
{
    private static readonly long _lifetimeTicks = Stopwatch.Frequency;
    private static long _readAt;
    private static long _peakBytes;

    /// <summary>The peak, in bytes.</summary>
    public static long PeakBytes()
    {
        long now = Stopwatch.GetTimestamp();
        long readAt = Interlocked.Read(ref _readAt);
        if (readAt == 0 || now - readAt > _lifetimeTicks)
        {
            using Process self = Process.GetCurrentProcess();
            Interlocked.Exchange(ref _peakBytes, self.PeakWorkingSet64);
            Interlocked.Exchange(ref _readAt, now);
        }

        return Interlocked.Read(ref _peakBytes);
    }
}
