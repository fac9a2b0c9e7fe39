using CsCheck;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Tests.SecureAggregation;

/// <summary>Masked vectors and codec payloads have one bit layout, though the fields of masks lie in lanes of the mask stream and those of codecs in 32 bits each.</summary>
public sealed class PackingAgreementTests
{
    public static TheoryData<int> Widths => [.. Enumerable.Range(FieldVector.MinWidthBits, FieldVector.MaxWidthBits - FieldVector.MinWidthBits + 1)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void PackAndUnpack_AnyLength_AreTheSameForLanesAndFields(int width) => Gen.UInt.Array[0, 200].Sample(values =>
    {
        byte[] expected = new byte[FieldPacking.LengthBytes(values.Length, width)];
        FieldPacking.Pack(values, width, expected);
        uint[] fields = new uint[values.Length];
        FieldPacking.Unpack(expected, width, fields);

        FieldVector vector = FieldVector.Of(values, width);
        byte[] packed = new byte[vector.PackedBytes];
        vector.Pack(packed);
        FieldVector unpacked = FieldVector.Unpack(packed, values.Length, width);

        Assert.Equal(expected, packed);
        Assert.Equal(fields, Enumerable.Range(0, values.Length).Select(i => unpacked[i]));
    });
}
