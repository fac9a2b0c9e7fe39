using Federated.Shared.Updates.Values;

namespace Federated.Shared.Updates.Plain;

/// <summary>
/// How a client compresses its own update where the server may see it: which share of the parameters it sends, how it writes the values,
/// and what it remembers. Immutable; the ranges are checked where it is read.
/// </summary>
public sealed record PlainCodec
{
    /// <summary>Largest share of parameters for which indices pay: above it a dense encoding takes less.</summary>
    public const double MaxSparseDensity = 0.25;

    /// <summary>
    /// Share of the parameters with the largest magnitudes that are sent, k/P, at most <see cref="MaxSparseDensity"/>; 1 sends all.
    /// </summary>
    public required double Density { get; init; }

    /// <summary>How values are written.</summary>
    public required ValueEncoding Values { get; init; }

    /// <summary>
    /// Whether what is not sent is kept and added to the next update (error feedback, Seide et al. 2014). Values are then rounded to the
    /// nearest level instead of at random.
    /// </summary>
    public bool KeepsResidual { get; init; } = true;

    /// <summary>β of DGC's momentum correction, in [0, 1); 0 switches it off. Needs the residual.</summary>
    public float Momentum { get; init; }

    /// <summary>What is left of residual and momentum for every round that the client missed, in (0, 1].</summary>
    public float StaleDecay { get; init; } = 1;

    /// <summary>k for P parameters: the share rounded up, at least 1.</summary>
    public int CountOf(int parameterCount) => Density >= 1 ? parameterCount : Math.Clamp((int)Math.Ceiling(Density * parameterCount), 1, parameterCount);

    /// <summary>Most bytes that an encoded vector of P parameters takes.</summary>
    public long MaxLengthBytes(int parameterCount)
    {
        int count = CountOf(parameterCount);
        long indices = count == parameterCount ? 0 : Indices.GolombCode.For(parameterCount, count).MaxLengthBytes;
        return indices + ValueCoding.LengthBytes(Values, count) + EncodedVector.OverheadBytes;
    }

    /// <summary>What is impossible about the settings, and the way out; null when they hold.</summary>
    public string? Problem()
    {
        if (!(Density is > 0 and <= MaxSparseDensity or 1))
        {
            return $"The density is {Density}; it is above 0 and at most {MaxSparseDensity}, or 1 for all parameters.";
        }

        if (!Enum.IsDefined(Values))
        {
            return $"The value encoding is {(int)Values}; this software knows 1 to 5.";
        }

        if (!(Momentum is >= 0 and < 1) || !(StaleDecay is > 0 and <= 1))
        {
            return $"Momentum {Momentum} and stale decay {StaleDecay}: the first is in [0, 1), the second in (0, 1].";
        }

        if (!KeepsResidual && (Momentum > 0 || Density < 1 || Values == ValueEncoding.Sign))
        {
            return "Sparse, sign and momentum-corrected updates lose what they leave out unless the residual is kept; keep it, or send all parameters in blocks.";
        }

        return null;
    }
}
