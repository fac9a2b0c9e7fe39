using System.Buffers;
using System.Text;
using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Shared.Models;

namespace Federated.Server.Identity;

/// <summary>Devices and tokens as blobs, one each. A device's blob is named by the hash of its name, which may hold what a blob's name may not.</summary>
internal sealed class RegistryStore(IBlobStore blobs)
{
    private const string Devices = "enrollment/devices/";
    private const string Tokens = "enrollment/tokens/";

    /// <summary>Writes a device.</summary>
    public Task WriteAsync(EnrolledDevice device, CancellationToken ct) =>
        WriteAsync(Devices + ContentHash.Of(Encoding.UTF8.GetBytes(device.DeviceId)).Hex + ".json", device, ct);

    /// <summary>Writes a token.</summary>
    public Task WriteAsync(TokenRecord token, CancellationToken ct) => WriteAsync(Tokens + token.Hash + ".json", token, ct);

    /// <summary>Deletes a token.</summary>
    public Task DeleteAsync(TokenRecord token, CancellationToken ct) => blobs.DeleteAsync(Tokens + token.Hash + ".json", WriteCondition.Always, ct);

    /// <summary>Every device.</summary>
    public IAsyncEnumerable<EnrolledDevice> DevicesAsync(CancellationToken ct) => ReadAsync<EnrolledDevice>(Devices, ct);

    /// <summary>Every token.</summary>
    public IAsyncEnumerable<TokenRecord> TokensAsync(CancellationToken ct) => ReadAsync<TokenRecord>(Tokens, ct);

    private Task<string> WriteAsync<T>(string name, T value, CancellationToken ct) => blobs.WriteAsync(
        name, new ReadOnlySequence<byte>(JsonSerializer.SerializeToUtf8Bytes(value, RoundRecords.Json)), WriteCondition.Always, ct);

    private async IAsyncEnumerable<T> ReadAsync<T>(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        where T : class
    {
        await foreach (string name in blobs.ListAsync(prefix, ct))
        {
            if (await blobs.ReadAsync(name, ct) is { } blob && JsonSerializer.Deserialize<T>(blob.Content.Span, RoundRecords.Json) is { } value)
            {
                yield return value;
            }
        }
    }
}
