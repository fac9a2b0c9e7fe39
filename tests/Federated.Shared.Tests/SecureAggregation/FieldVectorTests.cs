using CsCheck;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class FieldVectorTests
{
    private static readonly Gen<(int Width, uint[] Fields)> _vectors =
        Gen.Select(Gen.Int[FieldVector.MinWidthBits, FieldVector.MaxWidthBits], Gen.UInt.Array[0, 70]);

    [Fact]
    public void Pack_EveryWidth_RoundTripsModuloTheWidth() => _vectors.Sample(vector =>
    {
        FieldVector fields = FieldVector.Of(vector.Fields, vector.Width);
        byte[] packed = new byte[fields.PackedBytes];
        fields.Pack(packed);
        FieldVector back = FieldVector.Unpack(packed, fields.Length, vector.Width);
        return packed.Length == ((vector.Fields.Length * vector.Width) + 7) / 8
            && Enumerable.Range(0, back.Length).Select(i => back[i]).SequenceEqual(vector.Fields.Select(field => (uint)(field & ((1UL << vector.Width) - 1))));
    });

    [Fact]
    public void Pack_EveryWidth_AgreesWithBitByBit() => _vectors.Sample(vector =>
    {
        FieldVector fields = FieldVector.Of(vector.Fields, vector.Width);
        byte[] packed = new byte[fields.PackedBytes];
        fields.Pack(packed);
        byte[] slow = new byte[packed.Length];
        for (int bit = 0; bit < vector.Fields.Length * vector.Width; bit++)
        {
            slow[bit / 8] |= (byte)(((vector.Fields[bit / vector.Width] >> (bit % vector.Width)) & 1) << (bit % 8));
        }

        return packed.SequenceEqual(slow);
    });

    [Fact]
    public void Add_EveryWidth_IsAdditionModuloTheWidth() => Gen.Select(Gen.Int[2, 32], Gen.Select(Gen.UInt, Gen.UInt).Array[1, 70]).Sample((width, pairs) =>
    {
        ulong mask = (1UL << width) - 1;
        FieldVector sum = FieldVector.Of([.. pairs.Select(pair => pair.Item1)], width);
        FieldVector addend = FieldVector.Of([.. pairs.Select(pair => pair.Item2)], width);
        byte[] packed = new byte[addend.PackedBytes];
        addend.Pack(packed);
        FieldVector other = FieldVector.Of([.. pairs.Select(pair => pair.Item1)], width);
        sum.Add(addend);
        other.AddPacked(packed);
        return Enumerable.Range(0, pairs.Length).All(i =>
            sum[i] == (((ulong)pairs[i].Item1 + pairs[i].Item2) & mask) && other[i] == sum[i]);
    });

    [Fact]
    public void Unpack_PaddingSet_IsRefused()
    {
        byte[] packed = new byte[FieldVector.PackedLengthBytes(3, 5)];
        packed[^1] = 0x80;
        Assert.Throws<ArgumentException>(() => FieldVector.Unpack(packed, 3, 5));
        Assert.Throws<ArgumentException>(() => FieldVector.Unpack(packed, 3, 4 + 16));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(32)]
    public void AddPacked_WrongLength_IsRefused(int width) =>
        Assert.Throws<ArgumentException>(() => new FieldVector(10, width).AddPacked(new byte[FieldVector.PackedLengthBytes(11, width)]));

    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    public void Constructor_WidthOutOfRange_IsRefused(int width) => Assert.Throws<ArgumentOutOfRangeException>(() => new FieldVector(1, width));

    [Fact]
    public void FirstOutside_EveryWidth_AgreesWithSignedValues() =>
        Gen.Select(Gen.Int[4, 31], Gen.Int[-7, 0], Gen.Int[0, 7], Gen.Int[-8, 7].Array[1, 20]).Sample((width, min, max, values) =>
        {
            FieldVector fields = FieldVector.Of([.. values.Select(value => unchecked((uint)value))], width);
            int expected = Array.FindIndex(values, value => value < min || value > max);
            return fields.FirstOutside(0, values.Length, min, max) == (expected < 0 ? null : expected);
        });

    [Fact]
    public void Clear_Fields_AreZero()
    {
        FieldVector fields = FieldVector.Of([1, 2, 3], 16);
        fields.Clear();
        Assert.Equal((0u, 0u, 0u), (fields[0], fields[1], fields[2]));
    }
}
