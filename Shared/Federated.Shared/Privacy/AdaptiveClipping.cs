namespace Federated.Shared.Privacy;

/// <summary>
/// Follows a quantile of the clients' update norms with the clip norm (Andrew, Thakkar, McMahan and Ramaswamy 2021, arXiv 1905.03871,
/// algorithm 1): C ← C · exp(−η(b̃ − γ)), where b̃ is the share of clients whose update was not clipped. Each client's bit is a masked
/// field like any other. Immutable.
/// </summary>
public sealed record AdaptiveClipping
{
    /// <summary>Least clip norm, and the least that a job may begin with.</summary>
    public const double MinClipNorm = 1e-6;

    /// <summary>Greatest clip norm, and the greatest that a job may begin with. Within both every round's document can be read.</summary>
    public const double MaxClipNorm = 1e6;

    /// <summary>C, above 0.</summary>
    public required double ClipNorm { get; init; }

    /// <summary>γ: share of clients that should stay below C.</summary>
    public double TargetQuantile { get; init; } = 0.5;

    /// <summary>η.</summary>
    public double LearningRate { get; init; } = 0.2;

    /// <summary>
    /// The clip norm of the next round, within <see cref="MinClipNorm"/> and <see cref="MaxClipNorm"/>. A noisy share is taken as it is, also beyond
    /// [0, 1]: brought into it, its mean would be off, near the ends far enough that C never rests and grows or falls for good.
    /// </summary>
    /// <param name="unclipped">Sum of the bits, with noise if there is any.</param>
    /// <param name="clients">Clients in the sum, at least 1.</param>
    public AdaptiveClipping Next(double unclipped, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(clients, 1);
        double share = unclipped / clients;
        return this with { ClipNorm = Math.Clamp(ClipNorm * Math.Exp(-LearningRate * (share - TargetQuantile)), MinClipNorm, MaxClipNorm) };
    }
}
