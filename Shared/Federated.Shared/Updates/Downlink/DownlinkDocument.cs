using System.Buffers;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Values;
using MessagePack;

namespace Federated.Shared.Updates.Downlink;

/// <summary>
/// A new adapter, or what turns an earlier version into it: MessagePack array [version = 1, form, base version, model version, bin of an
/// encoded vector]. Base version is −1 for the forms that need none. Make one with <see cref="DownlinkEncoder"/>.
/// </summary>
public sealed record DownlinkDocument
{
    private const string Kind = "downlink document";
    private const int FormatVersion = 1;
    private const int Fields = 5;
    private const int OverheadBytes = 32;

    /// <summary>Base version of a form that needs none.</summary>
    public const long NoBase = -1;

    /// <summary>How it is written.</summary>
    public required DownlinkForm Form { get; init; }

    /// <summary>The version that the client must hold, or <see cref="NoBase"/>.</summary>
    public required long BaseVersion { get; init; }

    /// <summary>The version that it gives.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>The content.</summary>
    public required EncodedVector Vector { get; init; }

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        byte[] vector = Vector.ToBytes();
        ArrayBufferWriter<byte> buffer = new(vector.Length + OverheadBytes);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write((int)Form);
        writer.Write(BaseVersion);
        writer.Write(ModelVersion);
        writer.Write(vector);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a document for an adapter of <paramref name="parameterCount"/> parameters.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a document.</exception>
    public static DownlinkDocument FromBytes(ReadOnlyMemory<byte> document, int parameterCount) =>
        DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            reader.ReadHeader(Kind, FormatVersion, Fields);
            DownlinkDocument read = new()
            {
                Form = (DownlinkForm)reader.ReadInt32InRange(Kind, "form", (int)DownlinkForm.SameSet, (int)DownlinkForm.WholeChange8),
                BaseVersion = reader.ReadInt64InRange(Kind, "base version", NoBase, long.MaxValue),
                ModelVersion = reader.ReadInt64InRange(Kind, "model version", 0, long.MaxValue),
                Vector = EncodedVector.FromBytes(reader.ReadBinaryUpTo(Kind, "vector", document.Length), parameterCount),
            };
            (IndexCoding indices, ValueEncoding values, bool needsBase) = ContentOf(read.Form);
            return read.Vector.IndexCoding == indices && read.Vector.ValueEncoding == values && needsBase == read.BaseVersion >= 0
                ? read
                : throw DocumentReading.Malformed(
                    Kind, $"form {read.Form} with base {read.BaseVersion} holds {read.Vector.IndexCoding} indices and {read.Vector.ValueEncoding} values");
        });

    /// <summary>Turns the adapter that the client holds into the new one, in place.</summary>
    /// <param name="adapter">[P]: of <see cref="BaseVersion"/>, or anything when there is none. Undefined after an exception.</param>
    /// <param name="heldVersion">Its version.</param>
    /// <param name="shared">The index set of <see cref="DownlinkForm.SameSet"/>.</param>
    /// <exception cref="ProtocolViolationException">The content is not what an encoder writes, or belongs to another version.</exception>
    /// <exception cref="ArgumentException">A length is another, or the set is missing.</exception>
    public void Apply(Span<float> adapter, long heldVersion, IndexSet? shared = null)
    {
        if (BaseVersion != NoBase && BaseVersion != heldVersion)
        {
            throw new ProtocolViolationException(
                ErrorCode.Conflict, $"The change leads from model version {BaseVersion} to {ModelVersion}; the client holds {heldVersion}. Ask for the whole adapter.");
        }

        if (Form is DownlinkForm.SameSet or DownlinkForm.Change8 or DownlinkForm.WholeChange8)
        {
            Vector.AddTo(adapter, shared);
        }
        else
        {
            Vector.Replace(adapter, shared);
        }
    }

    /// <summary>What a form holds.</summary>
    internal static (IndexCoding Indices, ValueEncoding Values, bool NeedsBase) ContentOf(DownlinkForm form) => form switch
    {
        DownlinkForm.SameSet => (IndexCoding.Shared, ValueEncoding.Block8, true),
        DownlinkForm.Change8 => (IndexCoding.Golomb, ValueEncoding.Block8, true),
        DownlinkForm.WholeChange8 => (IndexCoding.All, ValueEncoding.Block8, true),
        DownlinkForm.Delta => (IndexCoding.Golomb, ValueEncoding.RawFloat32, true),
        DownlinkForm.Adapter8 => (IndexCoding.All, ValueEncoding.Block8, false),
        DownlinkForm.Adapter32 => (IndexCoding.All, ValueEncoding.RawFloat32, false),
        _ => throw new ArgumentOutOfRangeException(nameof(form), form, "Unknown form."),
    };
}
