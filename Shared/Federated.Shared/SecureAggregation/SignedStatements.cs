using System.Buffers.Binary;
using System.Text;
using Federated.Shared.Models;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// What is signed in the protocol. Each statement begins with its own purpose, so that no signature can be taken for another.
/// </summary>
public static class SignedStatements
{
    /// <summary>The server: these are the terms of a group.</summary>
    public static byte[] Header(ReadOnlySpan<byte> header) => [.. "federated/secure-aggregation/1/header"u8, .. header];

    /// <summary>A device: these are my keys for the group with this header.</summary>
    public static byte[] Keys(ContentHash header, string deviceId, AgreementPublicKey maskKey, AgreementPublicKey channelKey)
    {
        ArgumentNullException.ThrowIfNull(maskKey);
        ArgumentNullException.ThrowIfNull(channelKey);
        byte[] id = Encoding.UTF8.GetBytes(deviceId);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, id.Length);
        return [.. "federated/secure-aggregation/1/keys"u8, .. header.ToBytes(), .. length, .. id, .. maskKey.Bytes, .. channelKey.Bytes];
    }

    /// <summary>A device: these are the survivors that the server told me.</summary>
    public static byte[] Survivors(SessionId session, MemberSet survivors)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(survivors);
        return [.. "federated/secure-aggregation/1/survivors"u8, .. session.Bytes, .. survivors.Bytes];
    }
}
