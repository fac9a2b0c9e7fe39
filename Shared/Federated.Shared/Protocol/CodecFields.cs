using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// A codec inside a plan: MessagePack array [encoding = 2, density, value encoding, residual kept, momentum, stale decay].
/// </summary>
internal static class CodecFields
{
    private const int Fields = 6;

    /// <summary>Writes a codec.</summary>
    public static void Write(ref MessagePackWriter writer, PlainCodec codec)
    {
        writer.WriteArrayHeader(Fields);
        writer.Write((int)UpdateEncoding.EncodedVector);
        writer.Write(codec.Density);
        writer.Write((int)codec.Values);
        writer.Write(codec.KeepsResidual);
        writer.Write(codec.Momentum);
        writer.Write(codec.StaleDecay);
    }

    /// <summary>Reads and checks a codec.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not a codec that this software knows.</exception>
    public static PlainCodec Parse(ref MessagePackReader reader, string kind)
    {
        int count = reader.ReadArrayHeader();
        if (count != Fields)
        {
            throw DocumentReading.Malformed(kind, $"its codec has {count} fields, expected are {Fields}");
        }

        reader.ReadInt32InRange(kind, "encoding", (int)UpdateEncoding.EncodedVector, (int)UpdateEncoding.EncodedVector);
        PlainCodec codec = new()
        {
            Density = reader.ReadDouble(),
            Values = (ValueEncoding)reader.ReadInt32(),
            KeepsResidual = reader.ReadBoolean(),
            Momentum = reader.ReadSingle(),
            StaleDecay = reader.ReadSingle(),
        };
        return codec.Problem() is { } problem ? throw DocumentReading.Malformed(kind, problem.TrimEnd('.')) : codec;
    }
}
