using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Linear;

namespace Federated.Shared.Tests.Updates.Linear;

/// <summary>The sum of devices' fields modulo 2^b, and the whole numbers that it stands for.</summary>
internal sealed class FieldSum(int fieldCount, int widthBits)
{
    public FieldSum(LinearRound round)
        : this(round.FieldCount, round.WidthBits)
    {
    }

    public FieldVector Fields { get; } = new(fieldCount, widthBits);

    public void Add(ReadOnlySpan<uint> fields) => Fields.Add(FieldVector.Of(fields, widthBits));

    public void AddPacked(ReadOnlySpan<byte> packed) => Fields.AddPacked(packed);

    /// <summary>The first <paramref name="coordinates"/> centred, the others as counts: [fields].</summary>
    public long[] Totals(int coordinates)
    {
        long[] totals = new long[fieldCount];
        for (int i = 0; i < totals.Length; i++)
        {
            bool negative = i < coordinates && Fields[i] >> (widthBits - 1) == 1;
            totals[i] = Fields[i] - (negative ? 1L << widthBits : 0);
        }

        return totals;
    }
}
