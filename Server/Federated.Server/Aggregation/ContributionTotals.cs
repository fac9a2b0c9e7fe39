namespace Federated.Server.Aggregation;

/// <summary>
/// What a round's contributors add up to. Floating-point sums run in the ordinal order of the device ids, so they do not
/// depend on who arrived first or in which group.
/// </summary>
internal sealed record ContributionTotals
{
    /// <summary>Contributors in ordinal order.</summary>
    public required IReadOnlyList<string> DeviceIds { get; init; }

    /// <summary>Examples behind the updates.</summary>
    public required long Examples { get; init; }

    /// <summary>Mean training loss weighted by examples; 0 when nobody contributed.</summary>
    public required double TrainLoss { get; init; }

    /// <summary>Encoded bytes sent.</summary>
    public required long BytesUp { get; init; }

    /// <summary>Encoded bytes received.</summary>
    public required long BytesDown { get; init; }

    /// <summary>Sum of the download times.</summary>
    public required double DownloadSeconds { get; init; }

    /// <summary>Sum of the training times.</summary>
    public required double ComputeSeconds { get; init; }

    /// <summary>Largest peak memory.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Adds up the contributions of one group or of all groups of a round.</summary>
    public static ContributionTotals Of(IEnumerable<Contribution> contributions)
    {
        Contribution[] sorted = [.. contributions.OrderBy(c => c.DeviceId, StringComparer.Ordinal)];
        long examples = sorted.Sum(c => (long)c.ExampleCount);
        return new ContributionTotals
        {
            DeviceIds = [.. sorted.Select(c => c.DeviceId)],
            Examples = examples,
            TrainLoss = examples == 0 ? 0 : sorted.Sum(c => c.MeanLoss * (c.ExampleCount / (double)examples)),
            BytesUp = sorted.Sum(c => c.BytesUp),
            BytesDown = sorted.Sum(c => c.BytesDown),
            DownloadSeconds = sorted.Sum(c => c.DownloadSeconds),
            ComputeSeconds = sorted.Sum(c => c.ComputeSeconds),
            PeakMemoryBytes = sorted.Select(c => c.PeakMemoryBytes).DefaultIfEmpty().Max(),
        };
    }
}
