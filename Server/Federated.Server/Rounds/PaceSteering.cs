using Federated.Shared.Randomness;

namespace Federated.Server.Rounds;

/// <summary>
/// Tells a device that was not selected when to come back, after Bonawitz et al. 2019 (arXiv 1902.01046, section 2.3): small
/// populations meet at the next selection, large ones are spread so that about as many come as are wanted. Stateless.
/// <para>
/// With N devices, demand d, headroom h and T to the next selection, r = N / (h·d) is how many times over the population meets the
/// demand. The answer is uniform in a window [low, high]:
/// </para>
/// <list type="bullet">
/// <item>r ≤ 1, everybody is wanted: [(1−j)·T, T], so that all wait when the selection begins.</item>
/// <item>r &gt; 1: [m/2, 3m/2] with mean m = r·T. Devices that return after m on average arrive at N/m = h·d/T, which is h·d a
/// selection, from any starting phase.</item>
/// <item>d = 0: [I/3, I] with the longest idle wait I, so that a job that is submitted meanwhile need not wait for its devices as long as a busy
/// population waits for its turn.</item>
/// </list>
/// <para>
/// Where a window would leave [MinRetry, MaxRetry] it is scaled until it fits rather than clipped: clipping would gather devices
/// at the limit, which is the herd that the jitter is there to break up.
/// </para>
/// </summary>
internal static class PaceSteering
{
    private const double SpreadLow = 0.5;
    private const double SpreadHigh = 1.5;

    /// <summary>The wait for one device, within [MinRetry, MaxRetry].</summary>
    /// <param name="observation">Negative numbers count as 0.</param>
    /// <param name="options">The limits.</param>
    /// <param name="jitter">Gives one uniform number a call.</param>
    /// <exception cref="ArgumentException">MaxRetry is below three times MinRetry, so that the spread does not fit between them.</exception>
    public static TimeSpan RetryAfter(PaceObservation observation, PaceOptions options, SeededGenerator jitter)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(jitter);
        double least = options.MinRetry.TotalSeconds;
        double most = options.MaxRetry.TotalSeconds;
        if (least <= 0 || most < least * (SpreadHigh / SpreadLow))
        {
            throw new ArgumentException($"MinRetry {options.MinRetry} and MaxRetry {options.MaxRetry}: the longest is at least three times the shortest, which is above 0.", nameof(options));
        }

        double wanted = options.Headroom * Math.Max(0, observation.DemandPerRound);
        double next = Math.Max(0, observation.TimeToNextSelection.TotalSeconds);
        double pool = Math.Max(0, observation.PoolEstimate);
        (double low, double high, double anchor) = wanted > 0 && pool <= wanted
            ? (1 - options.RendezvousSpread, 1.0, next)
            : (SpreadLow, SpreadHigh, wanted > 0 ? next * (pool / wanted) : options.IdleRetry.TotalSeconds / SpreadHigh);

        anchor = Math.Min(Math.Max(anchor, least / low), most / high);
        double seconds = anchor * (low + ((high - low) * jitter.NextDouble()));
        return TimeSpan.FromSeconds(Math.Clamp(seconds, least, most));
    }
}
