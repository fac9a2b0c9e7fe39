using System.Numerics;
using Federated.Shared.Protocol;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// What clients tell beside their coordinates, as further fields of the same ring, summed (and masked) like everything else: nobody's own
/// numbers are sent. Of one client, or summed over several.
/// </summary>
/// <param name="Examples">Examples that count, each client's at most <see cref="LinearRound.MaxExamples"/>.</param>
/// <param name="WeightedLoss">Σ of training loss × counted examples.</param>
/// <param name="Unclipped">Clients whose update was within the clip norm; with noise of the clients an estimate, and the others are 0.</param>
/// <param name="Limited">Coordinates that quantizers had to limit; see <see cref="RingWidth.Limit"/>.</param>
public readonly record struct LinearStatistics(long Examples, double WeightedLoss, long Unclipped, long Limited)
{
    /// <summary>Losses are brought into 0 to this.</summary>
    public const double MaxLoss = 255;

    private const int LossBits = 20;
    private const double LossScale = 1 << 12;

    /// <summary>Mean training loss, weighted by examples.</summary>
    public double MeanLoss => Examples == 0 ? 0 : WeightedLoss / Examples;

    /// <summary>Fields they take.</summary>
    /// <exception cref="ArgumentException">The round's fields have no room for a digit of so many clients.</exception>
    public static int FieldCount(LinearRound round)
    {
        int fields = 0;
        foreach (int bits in Bits(round))
        {
            fields += RingScalar.FieldCount(bits, round.WidthBits, round.MaxClients);
        }

        return fields;
    }

    /// <summary>One client's, brought into what fields can carry.</summary>
    public static LinearStatistics Of(LinearRound round, int examples, double loss, in LinearEncoding encoding)
    {
        int weight = Math.Min(examples, round.MaxExamples);
        if (round.Noise is not null)
        {
            // Only what noise is added to may be told.
            return new LinearStatistics(weight, 0, encoding.ClipFactor >= 1 ? 1 : 0, 0);
        }

        double bounded = double.IsFinite(loss) ? Math.Clamp(loss, 0, MaxLoss) : MaxLoss;
        return new LinearStatistics(weight, bounded * weight, encoding.ClipFactor >= 1 ? 1 : 0, encoding.Limited);
    }

    /// <summary>Writes one client's: [<see cref="FieldCount"/>].</summary>
    internal void Write(LinearRound round, Span<uint> fields)
    {
        ulong unclipped = round.Noise is { } noise ? (ulong)(noise.BitMiddle + (LinearNoise.BitScale * ((2 * Unclipped) - 1))) : (ulong)Unclipped;
        Span<ulong> values = [(ulong)Examples, (ulong)Math.Round(WeightedLoss * LossScale), unclipped, (ulong)Limited];
        int[] bits = Bits(round);
        for (int i = 0; i < values.Length; i++)
        {
            int count = RingScalar.FieldCount(bits[i], round.WidthBits, round.MaxClients);
            RingScalar.Write(values[i], round.WidthBits, round.MaxClients, fields[..count]);
            fields = fields[count..];
        }
    }

    /// <summary>Where the number of the clip bit lies among them; with noise it is a single field, or the digits would tell more than their number.</summary>
    internal static int OffsetOfUnclipped(LinearRound round)
    {
        int[] bits = Bits(round);
        return RingScalar.FieldCount(bits[0], round.WidthBits, round.MaxClients) + RingScalar.FieldCount(bits[1], round.WidthBits, round.MaxClients);
    }

    /// <summary>
    /// Reads sums and demands that <paramref name="clients"/> clients can have sent them.
    /// </summary>
    /// <param name="round">The round.</param>
    /// <param name="totals">Sums of the fields as whole numbers: [<see cref="FieldCount"/>].</param>
    /// <param name="clients">Clients in the sums.</param>
    /// <exception cref="ProtocolViolationException">They cannot: some client did not follow the round.</exception>
    public static LinearStatistics ReadSums(LinearRound round, ReadOnlySpan<long> totals, int clients)
    {
        ArgumentNullException.ThrowIfNull(round);
        Span<long> sums = stackalloc long[4];
        int[] bits = Bits(round);
        for (int i = 0; i < sums.Length; i++)
        {
            int count = RingScalar.FieldCount(bits[i], round.WidthBits, round.MaxClients);
            sums[i] = RingScalar.ReadSum(totals[..count], round.WidthBits, round.MaxClients);
            totals = totals[count..];
        }

        if (sums[0] < clients || sums[0] > (long)clients * round.MaxExamples)
        {
            throw new ProtocolViolationException(
                ErrorCode.MalformedDocument, $"{clients} clients sum up to {sums[0]} examples; each has 1 to {round.MaxExamples}.");
        }

        if (round.Noise is { } noise)
        {
            return new LinearStatistics(sums[0], sums[1] / LossScale, noise.ReadUnclipped(sums[2], clients), sums[3]);
        }

        if (sums[2] > clients)
        {
            throw new ProtocolViolationException(ErrorCode.MalformedDocument, $"{sums[2]} of {clients} clients were within the clip norm.");
        }

        return new LinearStatistics(sums[0], sums[1] / LossScale, sums[2], sums[3]);
    }

    // Examples, loss × examples, one bit, and a count of coordinates.
    private static int[] Bits(LinearRound round)
    {
        int weight = BitLength(round.MaxExamples);
        return [weight, LossBits + weight, round.Noise is { } noise ? BitLength(2 * noise.BitMiddle) : 1, BitLength(round.PaddedLength)];
    }

    private static int BitLength(int value) => 32 - BitOperations.LeadingZeroCount((uint)value);
}
