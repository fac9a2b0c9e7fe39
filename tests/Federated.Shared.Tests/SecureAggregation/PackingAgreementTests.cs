using CsCheck;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Tests.SecureAggregation;

/// <summary>
/// Masked vectors and codec payloads have one bit layout, though the kernels differ: those of masks work on lanes of the mask stream, those
/// of codecs on fields of 32 bits.
/// </summary>
public sealed class PackingAgreementTests
{
    [Fact]
    public void Pack_AnyWidthAndLength_IsTheSameForLanesAndFields() => Gen.Select(Gen.Int[8, 32], Gen.UInt.Array[0, 200]).Sample((width, values) =>
    {
        uint[] fields = [.. values.Select(value => width == 32 ? value : value & ((1u << width) - 1))];
        byte[] expected = new byte[FieldPacking.LengthBytes(fields.Length, width)];
        FieldPacking.Pack(fields, width, expected);

        FieldVector vector = FieldVector.Of(fields, width);
        byte[] packed = new byte[vector.PackedBytes];
        vector.Pack(packed);

        Assert.Equal(expected, packed);
    });
}
