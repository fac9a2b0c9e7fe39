using CsCheck;
using Federated.Shared.Updates.Bits;

namespace Federated.Shared.Tests.Updates.Bits;

public sealed class FieldPackingTests
{
    private static readonly Gen<(int Width, uint[] Fields)> _fields =
        Gen.Select(Gen.Int[FieldPacking.MinWidthBits, FieldPacking.MaxWidthBits], Gen.UInt.Array[1, 200], (width, fields) => (width, fields));

    [Fact]
    public void Pack_AnyFields_AreTheScalarTwinsBytes() => _fields.Sample(f =>
    {
        byte[] packed = new byte[FieldPacking.LengthBytes(f.Fields.Length, f.Width)];
        FieldPacking.Pack(f.Fields, f.Width, packed);
        return packed.AsSpan().SequenceEqual(Twin(f.Fields, f.Width));
    });

    [Fact]
    public void Unpack_PackedFields_AreTheSameModulo() => _fields.Sample(f =>
    {
        byte[] packed = new byte[FieldPacking.LengthBytes(f.Fields.Length, f.Width)];
        FieldPacking.Pack(f.Fields, f.Width, packed);
        uint[] read = new uint[f.Fields.Length];
        FieldPacking.Unpack(packed, f.Width, read);
        return read.SequenceEqual(f.Fields.Select(field => field & Mask(f.Width))) && FieldPacking.EndsClean(packed, read.Length, f.Width);
    });

    [Fact]
    public void LengthBytes_AnyCount_HasNoSlackBeyondTheLastByte()
    {
        for (int width = FieldPacking.MinWidthBits; width <= FieldPacking.MaxWidthBits; width++)
        {
            for (int count = 0; count < 100; count++)
            {
                Assert.InRange((FieldPacking.LengthBytes(count, width) * 8) - (count * width), 0, 7);
            }
        }
    }

    [Fact]
    public void EndsClean_BitAfterTheEnd_IsSeen()
    {
        byte[] packed = new byte[FieldPacking.LengthBytes(3, 5)];
        FieldPacking.Pack([31, 31, 31], 5, packed);
        Assert.True(FieldPacking.EndsClean(packed, 3, 5));
        packed[^1] |= 0x80;
        Assert.False(FieldPacking.EndsClean(packed, 3, 5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    public void Pack_ImpossibleWidth_IsRefused(int width) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldPacking.Pack([1], width, new byte[8]));

    [Fact]
    public void PackAndUnpack_FieldsWiderThanWhatTheyLieIn_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldPacking.Pack<byte>([1], 9, new byte[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldPacking.Unpack<ushort>(new byte[3], 17, new ushort[1]));
    }

    [Fact]
    public void Pack_WrongLength_IsRefused() => Assert.Throws<ArgumentException>(() => FieldPacking.Pack([1, 2], 8, new byte[3]));

    private static uint Mask(int width) => (uint)((1UL << width) - 1);

    private static byte[] Twin(uint[] fields, int width)
    {
        byte[] bytes = new byte[((fields.Length * width) + 7) / 8];
        for (int bit = 0; bit < fields.Length * width; bit++)
        {
            uint value = (fields[bit / width] >> (bit % width)) & 1;
            bytes[bit / 8] |= (byte)(value << (bit % 8));
        }

        return bytes;
    }
}
