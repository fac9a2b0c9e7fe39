using Federated.Server.Telemetry;

namespace Federated.Server.Grpc;

/// <summary>What went wrong with each method since a call of it last went well, so that what fails for every device is said once. Thread-safe.</summary>
internal sealed class MethodFailures
{
    /// <summary>Most reasons kept of a method; then all of them are forgotten, and may be said again.</summary>
    public const int MaxReasons = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<string>> _reasons = new(StringComparer.Ordinal);

    /// <summary>Notes a failure.</summary>
    /// <param name="method">The called method's name.</param>
    /// <param name="failure">What its call ended with.</param>
    /// <returns>Whether no call of the method has failed for this reason since one went well.</returns>
    public bool IsNews(string method, Exception failure)
    {
        lock (_lock)
        {
            if (!_reasons.TryGetValue(method, out HashSet<string>? reasons))
            {
                reasons = new HashSet<string>(StringComparer.Ordinal);
                _reasons.Add(method, reasons);
            }

            if (reasons.Count == MaxReasons)
            {
                reasons.Clear();
            }

            return reasons.Add(LastFailure.ReasonOf(failure));
        }
    }

    /// <summary>A call of the method went well.</summary>
    public void Over(string method)
    {
        lock (_lock)
        {
            _reasons.Remove(method);
        }
    }
}
