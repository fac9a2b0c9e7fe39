using Federated.Server.Rounds;

namespace Federated.Server.Telemetry;

/// <summary>Tells metrics and traces of rounds that have ended.</summary>
internal sealed class RoundTelemetry(ServerMetrics metrics, RoundTrace trace, bool enabled = true)
{
    /// <summary>A round has its record.</summary>
    public void Recorded(RoundRecord record, RoundTimeline? timeline)
    {
        if (!enabled)
        {
            return;
        }

        metrics.Recorded(record, timeline);
        trace.Recorded(record, timeline);
    }
}
