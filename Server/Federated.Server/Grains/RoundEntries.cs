using Federated.Server.Aggregation;
using Federated.Server.Rounds;
using Federated.Shared.Privacy;
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

    /// <summary>Clip norm of the round after; null when nothing moves it.</summary>
    /// <param name="record">The round's, with its clip norm.</param>
    /// <param name="quantile">Share of updates that should be within the norm; null for a norm that stays.</param>
    /// <param name="statistics">What rode in the vector; null for an abandoned round. The count with its noise, and not the share that the record shows, which lies in [0, 1].</param>
    public static double? NextClipNorm(this RoundRecord record, double? quantile, LinearStatistics? statistics) =>
        record.ClipNorm is { } norm && quantile is { } target && statistics is { } read
            ? new AdaptiveClipping { ClipNorm = norm, TargetQuantile = target }.Next(read.Unclipped, record.Accepted).ClipNorm
            : null;
}
