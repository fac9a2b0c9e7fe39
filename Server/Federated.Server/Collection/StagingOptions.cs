using System.ComponentModel.DataAnnotations;

namespace Federated.Server.Collection;

/// <summary>Bounds on what uploads may hold in memory.</summary>
public sealed class StagingOptions
{
    /// <summary>
    /// Bytes that uploads on their way may occupy together; further ones wait, and flow control makes their senders wait. Small, because
    /// fast uploads are over sooner when few of them share the processor. Default 32 MiB.
    /// </summary>
    [Range(1L << 20, 1L << 40)]
    public long BudgetBytes { get; set; } = 32L << 20;

    /// <summary>
    /// How long an upload waits for the budget, counted from the last time that bytes were given back, before it is let in beyond it: a
    /// few slow links cannot hold up a fleet, and a fast but large cohort is not let in all at once. Default 5 s.
    /// </summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes that are never exceeded, patience or not. Default: a quarter of the memory the process may use.</summary>
    [Range(1L << 20, 1L << 40)]
    public long HardBudgetBytes { get; set; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    /// <summary>How long a broken upload is kept for its sender to go on. Default 2 minutes.</summary>
    public TimeSpan KeepBroken { get; set; } = TimeSpan.FromMinutes(2);
}
