using Federated.Server.Aggregation;
using Federated.Server.Rounds;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Grains;

/// <summary>Enters into a round's record what its sum tells: who contributed at what cost, and what rode in the vector. Pure.</summary>
internal static class RoundEntries
{
    /// <summary>The contributors, their reports and bytes.</summary>
    public static RoundRecord WithTotals(this RoundRecord record, ContributionTotals totals) => record with
    {
        Contributors = totals.DeviceIds,
        Examples = totals.Examples,
        TrainLoss = totals.TrainLoss,
        BytesUp = totals.BytesUp,
        BytesDown = totals.BytesDown,
        Timing = record.Timing with
        {
            ClientComputeSeconds = totals.ComputeSeconds,
            ClientDownloadSeconds = totals.DownloadSeconds,
            ClientPeakMemoryBytes = totals.PeakMemoryBytes,
        },
    };

    /// <summary>Examples, loss and clipping as they rode in the vector. Of an abandoned round nothing is read.</summary>
    public static RoundRecord WithStatistics(this RoundRecord record, LinearRound linear, LinearStatistics? statistics) => record with
    {
        ClipNorm = linear.ClipNorm,
        Examples = statistics?.Examples ?? 0,
        TrainLoss = statistics?.MeanLoss ?? 0,
        ClippedShare = statistics is { } read ? Math.Clamp(1 - (read.Unclipped / (double)record.Accepted), 0, 1) : null,
        LimitedCoordinates = statistics?.Limited,
    };
}
