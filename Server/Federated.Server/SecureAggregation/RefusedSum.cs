using System.Buffers;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// A group's sum that the server has seen and thrown away, because members that follow the round cannot have made it: a MessagePack array
/// [version = 1, reason, array of devices]. The values are not kept. Immutable.
/// </summary>
/// <param name="Reason">Why.</param>
/// <param name="Devices">Whose inputs were in it.</param>
internal sealed record RefusedSum(string Reason, string[] Devices)
{
    private const string Kind = "refused sum document";
    private const int FormatVersion = 1;
    private const int Fields = 3;

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new();
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(Reason);
        writer.WriteArrayHeader(Devices.Length);
        foreach (string device in Devices)
        {
            writer.Write(device);
        }

        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a document.</exception>
    public static RefusedSum FromBytes(ReadOnlyMemory<byte> document) => DocumentReading.Read(document, Kind, Parse);

    private static RefusedSum Parse(ref MessagePackReader reader)
    {
        reader.ReadHeader(Kind, FormatVersion, Fields);
        string reason = reader.ReadString() ?? "";
        string[] devices = new string[reader.ReadArrayHeader()];
        for (int i = 0; i < devices.Length; i++)
        {
            devices[i] = reader.ReadString() ?? "";
        }

        return new RefusedSum(reason, devices);
    }
}
