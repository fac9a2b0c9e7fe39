using System.Buffers.Binary;
using System.Security.Cryptography;
using Federated.Shared.Models;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Every key of the protocol, by HKDF-SHA256 (RFC 5869) with the session as salt: a key is worth nothing in another session, and no two
/// purposes share one. All keys have 256 bits, and all of them go into the cipher.
/// </summary>
public static class KeySchedule
{
    /// <summary>Length of every key.</summary>
    public const int KeyBytes = 32;

    private const int LabelBytes = 4;

    /// <summary>
    /// Key of the mask that members u and v share: info = "mask" ‖ min ‖ max ‖ model. <paramref name="model"/> is the hash of the model
    /// that the caller really trained, so that masks of clients which were handed different models do not cancel.
    /// </summary>
    public static void PairMask(ReadOnlySpan<byte> secret, SessionId session, int u, int v, ContentHash model, Span<byte> key)
    {
        Span<byte> info = stackalloc byte[LabelBytes + (2 * sizeof(int)) + ContentHash.LengthBytes];
        Label("mask"u8, Math.Min(u, v), Math.Max(u, v), info);
        model.ToBytes().CopyTo(info[(LabelBytes + (2 * sizeof(int)))..]);
        Derive(secret, session, info, key);
    }

    /// <summary>Key of a member's own mask, from its random seed: info = "self" ‖ u ‖ u.</summary>
    public static void SelfMask(ReadOnlySpan<byte> seed, SessionId session, int u, Span<byte> key)
    {
        Span<byte> info = stackalloc byte[LabelBytes + (2 * sizeof(int))];
        Label("self"u8, u, u, info);
        Derive(seed, session, info, key);
    }

    /// <summary>Key of the one message of shares from a member to another: info = "send" ‖ from ‖ to. It encrypts once.</summary>
    public static void ShareChannel(ReadOnlySpan<byte> secret, SessionId session, int from, int to, Span<byte> key)
    {
        Span<byte> info = stackalloc byte[LabelBytes + (2 * sizeof(int))];
        Label("send"u8, from, to, info);
        Derive(secret, session, info, key);
    }

    private static void Label(ReadOnlySpan<byte> label, int first, int second, Span<byte> info)
    {
        label.CopyTo(info);
        BinaryPrimitives.WriteInt32LittleEndian(info[LabelBytes..], first);
        BinaryPrimitives.WriteInt32LittleEndian(info[(LabelBytes + sizeof(int))..], second);
    }

    private static void Derive(ReadOnlySpan<byte> secret, SessionId session, ReadOnlySpan<byte> info, Span<byte> key) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key[..KeyBytes], session.Bytes, info);
}
