using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.Tests.Updates;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Seeds;

namespace Federated.Shared.Tests.Protocol;

/// <summary>Whatever bytes arrive, a reader returns a document or throws the one exception, and allocates by what is there.</summary>
public sealed class HostileDocumentTests
{
    private const int Mutations = 100_000;

    // Exceptions with their messages and stack traces fit in; a byte of what the lengths below claim would not.
    private const long AllocationLimitBytes = 1 << 20;

    private static readonly Dictionary<string, (byte[] Bytes, Action<byte[]> Read)> _documents = new(StringComparer.Ordinal)
    {
        ["plan"] = (GoldenFile.Hex("plan.v1.hex"), bytes => PlanDocument.FromBytes(bytes)),
        ["plan with codec"] = (GoldenFile.Hex("plan-codec.v2.hex"), bytes => PlanDocument.FromBytes(bytes)),
        ["plan with parameters"] = (GoldenFile.Hex("plan-parameters.v2.hex"), bytes => PlanDocument.FromBytes(bytes)),
        ["plan with linear round"] = (GoldenFile.Hex("plan-linear.v3.hex"), bytes => PlanDocument.FromBytes(bytes)),
        ["plan with directions"] = (GoldenFile.Hex("plan-directions.v4.hex"), bytes => PlanDocument.FromBytes(bytes)),
        ["plan with offers"] = (GoldenFile.Hex("plan-offers.v5.hex"), bytes => PlanDocument.FromBytes(bytes)),
        ["masked update"] = (GoldenFile.Hex("update.v3.hex"), bytes => UpdateDocument.FromBytes(bytes, KnownDocuments.ParameterCount)),
        ["encoded update"] = (GoldenFile.Hex("update.v2.hex"), bytes => UpdateDocument.FromBytes(bytes, KnownDocuments.ParameterCount)),
        ["update"] = (GoldenFile.Hex("update.v1.hex"), bytes => UpdateDocument.FromBytes(bytes, KnownDocuments.ParameterCount)),
        ["adapter"] = (GoldenFile.Hex("adapter.v1.hex"), bytes => AdapterDocument.FromBytes(bytes, KnownDocuments.ParameterCount)),
        ["checkpoint"] = (GoldenFile.Hex("checkpoint.v1.hex"), bytes => CheckpointDocument.FromBytes(bytes)),
        ["encoded vector"] = (GoldenFile.Hex("encoded-vector.v1.hex"), bytes => KnownPayloads.Decode(bytes)),
        ["encoded vector of signs"] = (GoldenFile.Hex("encoded-vector-sign.v1.hex"), bytes => KnownPayloads.Decode(bytes)),
        ["index set"] = (GoldenFile.Hex("index-set.v1.hex"), bytes => KnownPayloads.DecodeIndexSet(bytes)),
        ["linear round"] = (GoldenFile.Hex("linear-round.v2.hex"), bytes => LinearRound.FromBytes(bytes)),
        ["linear round with noise"] = (GoldenFile.Hex("linear-round.v3.hex"), bytes => LinearRound.FromBytes(bytes)),
        ["linear round with a told set"] = (GoldenFile.Hex("linear-round.v4.hex"), bytes => LinearRound.FromBytes(bytes)),
        ["linear round with votes"] = (GoldenFile.Hex("linear-round.v5.hex"), bytes => LinearRound.FromBytes(bytes)),
        ["linear payload"] = (GoldenFile.Hex("linear-payload.v2.hex"), bytes => KnownPayloads.DecodeLinear(bytes)),
        ["residual"] = (GoldenFile.Hex("residual.v1.hex"), bytes => Residual.FromBytes(bytes, KnownDocuments.ParameterCount)),
        ["seed scalars"] = (GoldenFile.Hex("seed-scalars.v1.hex"), bytes => SeedScalars.CopyTo(bytes, new float[2])),
        ["downlink"] = (GoldenFile.Hex("downlink.v1.hex"), bytes => KnownPayloads.DecodeDownlink(bytes)),
        ["manifest"] = (GoldenFile.Bytes("manifest.v2.json"), bytes => PackageManifest.FromBytes(bytes)),
    };

    public static TheoryData<string> All => [.. _documents.Keys];

    public static TheoryData<string> Binary => [.. _documents.Keys.Where(kind => kind != "manifest")];

    [Theory]
    [MemberData(nameof(All))]
    public void Read_TruncatedAtAnyLength_IsMalformed(string kind)
    {
        (byte[] bytes, Action<byte[]> read) = _documents[kind];
        for (int length = 0; length < bytes.Length; length++)
        {
            ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => read(bytes[..length]));
            Assert.Equal(ErrorCode.MalformedDocument, e.Code);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Read_BytesAfterTheEnd_IsMalformed(string kind)
    {
        (byte[] bytes, Action<byte[]> read) = _documents[kind];
        Assert.Equal(ErrorCode.MalformedDocument, Assert.Throws<ProtocolViolationException>(() => read([.. bytes, 0])).Code);
    }

    [Theory]
    [MemberData(nameof(Binary))]
    public void Read_AnotherVersion_SaysSo(string kind)
    {
        (byte[] bytes, Action<byte[]> read) = _documents[kind];
        byte[] newer = [.. bytes];
        newer[VersionAt(bytes)] = 9;
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => read(newer));
        Assert.Equal(ErrorCode.UnsupportedVersion, e.Code);
        Assert.Contains("version 9", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Binary))]
    public void Read_AnotherFieldCount_IsMalformed(string kind)
    {
        (byte[] bytes, Action<byte[]> read) = _documents[kind];
        byte[] shorter = [.. bytes];
        shorter[VersionAt(bytes) - 1]--;
        Assert.Equal(ErrorCode.MalformedDocument, Assert.Throws<ProtocolViolationException>(() => read(shorter)).Code);

        // A field more, which is there.
        int fields = bytes[VersionAt(bytes) - 1] + (VersionAt(bytes) == 1 ? 1 - 0x90 : 1);
        byte[] longer = [0xDC, 0, (byte)fields, .. bytes[VersionAt(bytes)..], 0xC0];
        Assert.Equal(ErrorCode.MalformedDocument, Assert.Throws<ProtocolViolationException>(() => read(longer)).Code);
    }

    /// <summary>Puts a header that claims 2 GB or 4 billion elements in the place of every single byte.</summary>
    [Theory]
    [MemberData(nameof(Binary))]
    public void Read_LengthOfGigabytesAnywhere_AllocatesNothingForIt(string kind)
    {
        (byte[] bytes, Action<byte[]> read) = _documents[kind];
        byte[][] claims =
        [
            [0xC6, 0x7F, 0xFF, 0xFF, 0xFF], // bin 32
            [0xDB, 0x7F, 0xFF, 0xFF, 0xFF], // str 32
            [0xDD, 0xFF, 0xFF, 0xFF, 0xFF], // array 32
            [0xDF, 0x7F, 0xFF, 0xFF, 0xFF], // map 32
            [0xC9, 0x7F, 0xFF, 0xFF, 0xFF, 0x01], // ext 32
        ];
        Swallow(read, bytes[..^1]);
        for (int position = 0; position < bytes.Length; position++)
        {
            foreach (byte[] claim in claims)
            {
                byte[] hostile = [.. bytes[..position], .. claim, .. bytes[(position + 1)..]];
                long before = GC.GetAllocatedBytesForCurrentThread();
                Swallow(read, hostile);
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, AllocationLimitBytes);
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Read_RandomMutations_ThrowNothingElse(string kind)
    {
        (byte[] bytes, Action<byte[]> read) = _documents[kind];
        SeededGenerator generator = SeededGenerator.For(1, "mutations", 0, kind);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutated = Mutate(bytes, generator);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                refused += Swallow(read, mutated) ? 1 : 0;
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, AllocationLimitBytes);
            }
            catch (Exception e)
            {
                Assert.Fail($"{e.GetType().Name} ({e.Message}) for {Convert.ToHexString(mutated)}");
            }
        }

        // Were nothing refused, nothing would have been tried.
        Assert.InRange(refused, Mutations / 20, Mutations);
    }

    private static byte[] Mutate(byte[] bytes, SeededGenerator generator)
    {
        List<byte> mutated = [.. bytes];
        int changes = 1 + generator.NextInt(3);
        for (int i = 0; i < changes && mutated.Count > 0; i++)
        {
            int position = generator.NextInt(mutated.Count);
            switch (generator.NextInt(5))
            {
                case 0:
                    mutated[position] ^= (byte)(1 << generator.NextInt(8));
                    break;
                case 1:
                    mutated[position] = (byte)generator.NextInt(256);
                    break;
                case 2:
                    mutated.Insert(position, (byte)generator.NextInt(256));
                    break;
                case 3:
                    mutated.RemoveAt(position);
                    break;
                default:
                    // A MessagePack type byte, or a byte that means something to JSON.
                    byte[] telling = [0xC0, 0xC1, 0xC4, 0xC6, 0xCA, 0xCB, 0xCF, 0xD3, 0xD9, 0xDB, 0xDD, 0xDF, (byte)'"', (byte)'-', (byte)'\\', (byte)'{'];
                    mutated[position] = telling[generator.NextInt(telling.Length)];
                    break;
            }
        }

        return [.. mutated];
    }

    /// <summary>Where the version stands: behind an array header of one byte, or of three.</summary>
    private static int VersionAt(byte[] bytes) => bytes[0] == 0xDC ? 3 : 1;

    private static bool Swallow(Action<byte[]> read, byte[] bytes)
    {
        try
        {
            read(bytes);
            return false;
        }
        catch (ProtocolViolationException)
        {
            return true;
        }
    }
}
