using System.Buffers;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Bits;
using Federated.Shared.Updates.Indices;
using MessagePack;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// What all clients of a round share on the private path, so that their updates are linear in one basis: MessagePack array [version = 2,
/// seed, P, index set, k, clip norm, step, field width, rotation block, least and most clients, most examples]; with noise of the clients version
/// 3 and two fields more, its variance in the coordinates and in the bit; with a set that the server tells version 4 and three fields more, votes = 0, hash and length of the
/// set's document; with votes the same as version 5. In version 4 they were of single coordinates, which nobody casts any more. Reading it checks that no sum can wrap. Immutable.
/// </summary>
public sealed record LinearRound
{
    private const string Kind = "linear round document";
    private const int FormatVersion = 2;
    private const int NoisyVersion = 3;
    private const int ToldVersion = 4;
    private const int VotingVersion = 5;
    private const int Fields = 12;
    private const int NoisyFields = 14;
    private const int ToldFields = 15;
    private const int MaxBytes = 256;

    /// <summary>Most clients of one sum.</summary>
    public const int MaxClientLimit = 1 << 16;

    /// <summary>Seeds the random index set and the rotation's signs; of this round alone.</summary>
    public required ulong Seed { get; init; }

    /// <summary>P.</summary>
    public required int ParameterCount { get; init; }

    /// <summary>How the index set is found.</summary>
    public required IndexSetKind IndexSet { get; init; }

    /// <summary>k, 1 to P.</summary>
    public required int SetSize { get; init; }

    /// <summary>The document (<see cref="IndexSetDocument"/>) of a set that the server tells; null for a random one. Who agrees on the round agrees on the set.</summary>
    public ObjectReference? Set { get; init; }

    /// <summary>Sums that vote on the next set, 0 to P: they follow the set's values. Above 0 only for a voted set. See <see cref="ResidualVotes"/>.</summary>
    public int Votes { get; init; }

    /// <summary>C, above 0: of values and votes together.</summary>
    public required double ClipNorm { get; init; }

    /// <summary>What the values alone are clipped to: their share of C² is their share of the coordinates.</summary>
    public double ValueClipNorm => ClipNorm * Math.Sqrt((double)SetSize / CoordinateCount);

    /// <summary>L2 norm that the votes of every client are brought to, so that none has more to say than another.</summary>
    public double VoteNorm => ClipNorm * Math.Sqrt((double)Votes / CoordinateCount);

    /// <summary>Values and votes.</summary>
    public int CoordinateCount => SetSize + Votes;

    /// <summary>γ, above 0.</summary>
    public required double Step { get; init; }

    /// <summary>b, 2 to 32.</summary>
    public required int WidthBits { get; init; }

    /// <summary>B, a power of two from 8 to 65,536.</summary>
    public required int RotationBlock { get; init; }

    /// <summary>Fewest clients whose sum may be looked at.</summary>
    public required int MinClients { get; init; }

    /// <summary>n: most clients of one sum.</summary>
    public required int MaxClients { get; init; }

    /// <summary>Most examples that count: an update weighs min(examples, this) over this. 1 weighs all alike.</summary>
    public required int MaxExamples { get; init; }

    /// <summary>Noise that clients add to their fields; null for none.</summary>
    public LinearNoise? Noise { get; init; }

    /// <summary>k′.</summary>
    public int PaddedLength => HadamardRotation.PaddedLength(CoordinateCount, RotationBlock);

    /// <summary>Fields of <see cref="LinearStatistics"/>.</summary>
    public int StatisticsFields => LinearStatistics.FieldCount(this);

    /// <summary>Fields a client sends: k′ coordinates, then its statistics.</summary>
    public int FieldCount => PaddedLength + StatisticsFields;

    /// <summary>Bytes of the packed fields.</summary>
    public int PackedBytes => (int)FieldPacking.LengthBytes(FieldCount, WidthBits);

    /// <summary>L: what every client keeps its values to.</summary>
    public int Limit => RingWidth.Limit(WidthBits, MaxClients);

    /// <summary>What the quantizer keeps values to, so that the noise has room up to <see cref="Limit"/>.</summary>
    public int QuantizerLimit => Limit - (Noise?.CoordinateReach ?? 0);

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new(MaxBytes);
        MessagePackWriter writer = new(buffer);
        (int version, int fields) = Form(Noise is not null, Set is not null, Votes > 0);
        writer.WriteArrayHeader(fields);
        writer.Write(version);
        writer.Write(Seed);
        writer.Write(ParameterCount);
        writer.Write((int)IndexSet);
        writer.Write(SetSize);
        writer.Write(ClipNorm);
        writer.Write(Step);
        writer.Write(WidthBits);
        writer.Write(RotationBlock);
        writer.Write(MinClients);
        writer.Write(MaxClients);
        writer.Write(MaxExamples);
        if (Noise is { } noise)
        {
            writer.Write(noise.Variance);
            writer.Write(noise.BitVariance);
        }
        else if (Set is { } set)
        {
            writer.Write(Votes);
            writer.Write(set.Hash.ToBytes());
            writer.Write(set.LengthBytes);
        }

        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads and checks a round.</summary>
    /// <exception cref="ProtocolViolationException"> The bytes are not such a document (<see cref="ErrorCode.MalformedDocument"/>), or its
    /// settings contradict each other: a sum could wrap (<see cref="ErrorCode.InvalidSetting"/>).
    /// </exception>
    public static LinearRound FromBytes(ReadOnlyMemory<byte> document)
    {
        LinearRound round = DocumentReading.Read(document, Kind, Parse);
        return round.Problem() is { } problem
            ? throw new ProtocolViolationException(ErrorCode.InvalidSetting, problem)
            : round;
    }

    /// <summary>What is impossible about the settings, and the way out; null when they hold.</summary>
    public string? Problem()
    {
        if (!System.Numerics.BitOperations.IsPow2(RotationBlock))
        {
            return $"Rotation block {RotationBlock} is not a power of two.";
        }

        if (SetSize > ParameterCount || MinClients > MaxClients)
        {
            return $"The index set has {SetSize} of {ParameterCount} parameters, a sum {MinClients} to {MaxClients} clients; the first may not exceed the second.";
        }

        if (Votes > ParameterCount || (Votes > 0 && IndexSet != IndexSetKind.Voted) || (Set is not null && IndexSet == IndexSetKind.Random))
        {
            return $"{Votes} votes of {ParameterCount} parameters beside a {IndexSet} set that is {(Set is null ? "not told" : "told")}; only a voted set has votes, and a random one is never told.";
        }

        if (Noise is not null && IndexSet != IndexSetKind.Random)
        {
            return $"Noise of the clients beside a {IndexSet} set: what decides the set would have to be noisy too. Take a random set.";
        }

        if (WidthBits <= System.Numerics.BitOperations.Log2(System.Numerics.BitOperations.RoundUpToPowerOf2((uint)MaxClients)))
        {
            return $"Fields of {WidthBits} bits cannot sum a digit of {MaxClients} clients. Widen the fields, or take smaller groups.";
        }

        if (Noise is { } noise && ProblemOf(noise) is { } problem)
        {
            return problem;
        }

        double deviation = Noise is { Variance: double variance } ? Step * Math.Sqrt(variance) : 0;
        int least = RingWidth.Least(ClipNorm, Step, PaddedLength, MaxClients, deviation);
        return WidthBits < least || Limit < 1
            ? $"Fields of {WidthBits} bits could wrap: clip norm {ClipNorm} at step {Step} over {PaddedLength} coordinates with {MaxClients} clients needs {least} bits. Widen the fields, coarsen the step, or take smaller groups."
            : null;
    }

    private string? ProblemOf(LinearNoise noise)
    {
        int digit = WidthBits - System.Numerics.BitOperations.Log2(System.Numerics.BitOperations.RoundUpToPowerOf2((uint)MaxClients));
        return noise.Problem() ?? (MaxExamples != 1 || QuantizerLimit < 1 || 2L * noise.BitMiddle >= 1L << digit
            ? $"Noise of deviation {Math.Sqrt(noise.Variance):F0} and {Math.Sqrt(noise.BitVariance):F0} for the bit has no room in fields of {WidthBits} bits summed over {MaxClients} clients, or the {MaxExamples} examples that count are not 1. Widen the fields, or take smaller groups."
            : null);
    }

    /// <summary>Version and fields of a round with noise, with a set that is told, with votes.</summary>
    private static (int Version, int Fields) Form(bool noisy, bool told, bool voting) => noisy
        ? (NoisyVersion, NoisyFields)
        : told ? (voting ? VotingVersion : ToldVersion, ToldFields) : (FormatVersion, Fields);

    private static LinearRound Parse(ref MessagePackReader reader)
    {
        MessagePackReader ahead = reader.CreatePeekReader();
        int version = ahead.ReadArrayHeader() > 0 ? ahead.ReadInt32() : 0;
        bool noisy = version == NoisyVersion;
        bool voting = version == VotingVersion;
        bool told = voting || version == ToldVersion;
        (int known, int fields) = Form(noisy, told, voting);
        reader.ReadHeader(Kind, known, fields);
        return new LinearRound
        {
            Seed = reader.ReadUInt64(),
            ParameterCount = reader.ReadInt32InRange(Kind, "parameter count", 1, ProtocolLimits.MaxParameters),
            IndexSet = (IndexSetKind)reader.ReadInt32InRange(Kind, "index set", 1, 3),
            SetSize = reader.ReadInt32InRange(Kind, "set size", 1, ProtocolLimits.MaxParameters),
            ClipNorm = reader.ReadDoubleInRange(Kind, "clip norm", 1e-12, 1e12),
            Step = reader.ReadDoubleInRange(Kind, "step", 1e-24, 1e12),
            WidthBits = reader.ReadInt32InRange(Kind, "field width", FieldPacking.MinWidthBits, FieldPacking.MaxWidthBits),
            RotationBlock = reader.ReadInt32InRange(Kind, "rotation block", HadamardRotation.MinBlock, HadamardRotation.MaxBlock),
            MinClients = reader.ReadInt32InRange(Kind, "least clients", 1, MaxClientLimit),
            MaxClients = reader.ReadInt32InRange(Kind, "most clients", 1, MaxClientLimit),
            MaxExamples = reader.ReadInt32InRange(Kind, "most examples", 1, ProtocolLimits.MaxExamples),
            Noise = noisy
                ? new LinearNoise(reader.ReadDoubleInRange(Kind, "noise variance", 0, LinearNoise.MaxVariance), reader.ReadDoubleInRange(Kind, "noise of the bit", 0, LinearNoise.MaxVariance))
                : null,
            Votes = told ? reader.ReadInt32InRange(Kind, "votes", voting ? 1 : 0, voting ? ProtocolLimits.MaxParameters : 0) : 0,
            Set = told ? new ObjectReference(reader.ReadHash(Kind, "hash of the set"), reader.ReadInt64InRange(Kind, "length of the set", 1, ProtocolLimits.MaxDownloadBytes)) : null,
        };
    }
}
