using Federated.Shared.Randomness;

namespace Federated.Client.Transport;

/// <summary>
/// Exponential backoff with full jitter: the n-th wait is uniform in [0, min(longest, first · 2ⁿ)], so that devices a server lost together
/// do not return together (Brooker, "Exponential Backoff And Jitter", AWS 2015). Not thread-safe.
/// </summary>
public sealed class Backoff(TimeSpan first, TimeSpan longest, TimeProvider time, string subject)
{
    // Seeded from the clock as well, so that a device that restarts does not repeat its waits.
    private readonly SeededGenerator _jitter = SeededGenerator.For((ulong)time.GetUtcNow().UtcTicks, "backoff", 0, subject);
    private int _failures;

    /// <summary>Begins again at the shortest wait: something went forward.</summary>
    public void Reset() => _failures = 0;

    /// <summary>The next wait.</summary>
    public TimeSpan Next()
    {
        double ceiling = Math.Min(longest.TotalSeconds, first.TotalSeconds * Math.Pow(2, _failures));
        _failures = Math.Min(_failures + 1, 30);
        return TimeSpan.FromSeconds(_jitter.NextDouble() * ceiling);
    }

    /// <summary>Waits that long.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => Task.Delay(Next(), time, cancellationToken);
}
