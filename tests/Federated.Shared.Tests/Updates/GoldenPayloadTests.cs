using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Tests.Protocol;
using Federated.Shared.Updates;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Seeds;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Tests.Updates;

/// <summary>The bytes of the payloads, fixed. The hexadecimal files were encoded by a second, independent encoder.</summary>
public sealed class GoldenPayloadTests
{
    private static readonly float[] _values = [0.5f, -1.25f, 0.1f, 1f];

    [Theory]
    [InlineData("encoded-vector.v1.hex", ValueEncoding.Block4, new[] { 0.5361328125f, -1.2509765625f, 0.1787109375f, 1.072265625f })]
    [InlineData("encoded-vector-sign.v1.hex", ValueEncoding.Sign, new[] { 0.19921875f, -0.19921875f, 0.19921875f, 0.19921875f })]
    public void EncodedVector_Known_HasTheGoldenBytesAndValues(string file, ValueEncoding encoding, float[] transmitted)
    {
        float[] update = new float[KnownPayloads.ParameterCount];
        new IndexSet(update.Length, KnownPayloads.Indices).Scatter(_values, update);
        PlainEncoder encoder = new(new PlainCodec { Density = 0.04, Values = encoding }, update.Length);
        byte[] document = encoder.Encode(update, 1, new Residual("job", update.Length), null).ToBytes();
        Assert.Equal(GoldenFile.Hex(file), document);

        float[] decoded = KnownPayloads.Decode(document);
        Assert.Equal(transmitted, KnownPayloads.Indices.Select(i => decoded[i]));
        Assert.Equal(4, decoded.Count(value => value != 0));
    }

    [Fact]
    public void IndexSet_Known_HasTheGoldenBytes()
    {
        SharedIndexSet set = SharedIndexSet.Told(IndexSetKind.Voted, new IndexSet(KnownPayloads.ParameterCount, KnownPayloads.Indices));
        Assert.Equal(GoldenFile.Hex("index-set.v1.hex"), IndexSetDocument.ToBytes(set));
        SharedIndexSet read = KnownPayloads.DecodeIndexSet(GoldenFile.Hex("index-set.v1.hex"));
        Assert.Equal(IndexSetKind.Voted, read.Kind);
        Assert.Equal(KnownPayloads.Indices, read.Indices.Indices.ToArray());
    }

    [Fact]
    public void LinearRound_Known_HasTheGoldenBytes()
    {
        Assert.Equal(GoldenFile.Hex("linear-round.v2.hex"), KnownPayloads.Round.ToBytes());
        Assert.Equal(KnownPayloads.Round, LinearRound.FromBytes(GoldenFile.Hex("linear-round.v2.hex")));
    }

    [Fact]
    public void LinearRound_WithNoise_HasTheGoldenBytes()
    {
        LinearRound noisy = KnownPayloads.Round with { WidthBits = 18, MaxExamples = 1, Noise = new LinearNoise(100, 18) };
        Assert.Equal(GoldenFile.Hex("linear-round.v3.hex"), noisy.ToBytes());
        Assert.Equal(noisy, LinearRound.FromBytes(GoldenFile.Hex("linear-round.v3.hex")));
    }

    [Fact]
    public void LinearRound_WithAToldSet_HasTheGoldenBytes()
    {
        LinearRound told = KnownPayloads.Round with { IndexSet = IndexSetKind.Momentum, Set = new ObjectReference(ContentHash.Of([1, 2, 3]), 31) };
        Assert.Equal(GoldenFile.Hex("linear-round.v4.hex"), told.ToBytes());
        Assert.Equal(told, LinearRound.FromBytes(GoldenFile.Hex("linear-round.v4.hex")));
    }

    [Fact]
    public void LinearRound_WithVotes_HasTheGoldenBytes()
    {
        LinearRound voting = KnownPayloads.Round with
        {
            IndexSet = IndexSetKind.Voted, Votes = 3, Set = new ObjectReference(ContentHash.Of([1, 2, 3]), 31),
        };
        Assert.Equal(GoldenFile.Hex("linear-round.v5.hex"), voting.ToBytes());
        Assert.Equal(voting, LinearRound.FromBytes(GoldenFile.Hex("linear-round.v5.hex")));
    }

    [Fact]
    public void LinearPayload_Known_HasTheGoldenBytes()
    {
        LinearRound round = KnownPayloads.Round;
        uint[] fields = new uint[round.FieldCount];
        int[] coordinates = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 25];
        for (int i = 0; i < coordinates.Length; i++)
        {
            fields[i] = unchecked((uint)coordinates[i]);
        }

        LinearStatistics statistics = new(300, 75, 1, 2);
        statistics.Write(round, fields.AsSpan(coordinates.Length));
        byte[] packed = new byte[round.PackedBytes];
        Federated.Shared.Updates.Bits.FieldPacking.Pack(fields, round.WidthBits, packed);
        Assert.Equal(GoldenFile.Hex("linear-payload.v2.hex"), LinearPayload.ToBytes(round, packed));

        long[] totals = KnownPayloads.DecodeLinear(GoldenFile.Hex("linear-payload.v2.hex")).Totals(coordinates.Length);
        Assert.Equal(coordinates.Select(value => (long)value), totals.Take(coordinates.Length));
        Assert.Equal(statistics, LinearStatistics.ReadSums(round, totals.AsSpan(coordinates.Length), 1));
    }

    [Fact]
    public void Residual_Golden_ReadsAndWritesTheSame()
    {
        byte[] golden = GoldenFile.Hex("residual.v1.hex");
        Residual residual = Residual.FromBytes(golden, 3);
        Assert.Equal(("mnist", 7L), (residual.JobId, residual.Round));
        Assert.Equal([0.5f, -1.25f, 0f], residual.Values.ToArray());
        Assert.Equal([1f, 0f, 0.25f], residual.Velocity.ToArray());
        Assert.Equal(golden, residual.ToBytes());
    }

    [Fact]
    public void SeedScalars_Known_HasTheGoldenBytes() => Assert.Equal(GoldenFile.Hex("seed-scalars.v1.hex"), SeedScalars.ToBytes([0.5f, -1.25f]));

    [Fact]
    public void Downlink_Known_HasTheGoldenBytes()
    {
        float[] held = [.. KnownDocuments.AdapterValues];
        float[] adapter = [held[0], -2f, held[2]];
        held[1] = 9;
        Assert.Equal(GoldenFile.Hex("downlink.v1.hex"), DownlinkEncoder.Delta(held, 5, adapter, 7).ToBytes());
        Assert.Equal(adapter, KnownPayloads.DecodeDownlink(GoldenFile.Hex("downlink.v1.hex")));
    }

    [Fact]
    public void Vector_AllIndicesButFewValues_IsMalformed()
    {
        EncodedVector vector = new()
        {
            ParameterCount = 3,
            Count = 2,
            IndexCoding = IndexCoding.All,
            ValueEncoding = ValueEncoding.RawFloat32,
            IndexBytes = default,
            ValueBytes = new byte[8],
        };
        Assert.Contains("2 values for all of 3", Assert.Throws<ProtocolViolationException>(() => EncodedVector.FromBytes(vector.ToBytes(), 3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vector_SharedSetMissing_IsRefused()
    {
        EncodedVector vector = new()
        {
            ParameterCount = 3,
            Count = 2,
            IndexCoding = IndexCoding.Shared,
            ValueEncoding = ValueEncoding.RawFloat32,
            IndexBytes = default,
            ValueBytes = new byte[8],
        };
        Assert.Throws<ArgumentException>(() => vector.CopyTo(new float[3], null));
        Assert.Throws<ArgumentException>(() => vector.CopyTo(new float[3], new IndexSet(3, [1])));
    }
}
