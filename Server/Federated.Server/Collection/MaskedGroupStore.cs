using System.Buffers;
using Federated.Server.SecureAggregation;
using Federated.Server.Storage;
using Federated.Shared.Protos;
using Google.Protobuf;
using MessagePack;

namespace Federated.Server.Collection;

/// <summary>
/// Keeps groups durable from the moment that masked inputs are asked for until the sum is: the masked sum, and the sealed shares that members may
/// not have got yet. Of a sum that was refused, whose it was stays until the round is forgotten. Thread-safe.
/// </summary>
internal sealed class MaskedGroupStore(IBlobStore blobs)
{
    /// <summary>Writes the group in one piece.</summary>
    public Task WriteAsync(string group, MaskedGroupDocument document, CancellationToken ct) =>
        blobs.WriteAsync(BlobName(group), new ReadOnlySequence<byte>(document.ToBytes()), WriteCondition.Always, ct);

    /// <summary>The durable group; null when it has none.</summary>
    public async Task<MaskedGroupDocument?> ReadAsync(string group, CancellationToken ct) =>
        await blobs.ReadAsync(BlobName(group), ct) is { } blob ? MaskedGroupDocument.FromBytes(blob.Content) : null;

    /// <summary>Writes what was sealed for each member: MessagePack map of device to bin of a GroupServerMessage. To the server it is opaque.</summary>
    public Task WriteSharesAsync(string group, IReadOnlyDictionary<string, GroupServerMessage> shares, CancellationToken ct)
    {
        ArrayBufferWriter<byte> buffer = new();
        MessagePackWriter writer = new(buffer);
        writer.WriteMapHeader(shares.Count);
        foreach ((string device, GroupServerMessage message) in shares)
        {
            writer.Write(device);
            writer.Write(message.ToByteArray());
        }

        writer.Flush();
        return blobs.WriteAsync(SharesName(group), new ReadOnlySequence<byte>(buffer.WrittenMemory), WriteCondition.Always, ct);
    }

    /// <summary>Reads them; empty when there are none.</summary>
    public async Task<Dictionary<string, GroupServerMessage>> ReadSharesAsync(string group, CancellationToken ct) =>
        await blobs.ReadAsync(SharesName(group), ct) is { } blob ? Parse(blob.Content) : [];

    /// <summary>Writes whose sum was seen and refused.</summary>
    public Task WriteRefusedAsync(string group, RefusedSum refused, CancellationToken ct) =>
        blobs.WriteAsync(RefusedName(group), new ReadOnlySequence<byte>(refused.ToBytes()), WriteCondition.Always, ct);

    /// <summary>Reads it; null when no sum of the group was refused.</summary>
    public async Task<RefusedSum?> ReadRefusedAsync(string group, CancellationToken ct) =>
        await blobs.ReadAsync(RefusedName(group), ct) is { } blob ? RefusedSum.FromBytes(blob.Content) : null;

    /// <summary>Deletes the masked sum and the shares.</summary>
    public async Task DeleteAsync(string group, CancellationToken ct)
    {
        await blobs.DeleteAsync(BlobName(group), WriteCondition.Always, ct);
        await blobs.DeleteAsync(SharesName(group), WriteCondition.Always, ct);
    }

    /// <summary>Deletes all of the group.</summary>
    public async Task ForgetAsync(string group, CancellationToken ct)
    {
        await DeleteAsync(group, ct);
        await blobs.DeleteAsync(RefusedName(group), WriteCondition.Always, ct);
    }

    private static Dictionary<string, GroupServerMessage> Parse(ReadOnlyMemory<byte> content)
    {
        MessagePackReader reader = new(content);
        int count = reader.ReadMapHeader();
        Dictionary<string, GroupServerMessage> shares = new(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            string device = reader.ReadString() ?? "";
            shares[device] = GroupServerMessage.Parser.ParseFrom(reader.ReadBytes() ?? default);
        }

        return shares;
    }

    private static string BlobName(string group) => $"masked-groups/{group}/sum";

    private static string SharesName(string group) => $"masked-groups/{group}/shares";

    private static string RefusedName(string group) => $"masked-groups/{group}/refused";
}
