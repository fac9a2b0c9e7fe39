using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Seals the shares that one member sends to another through the server: AES-256-GCM (NIST SP 800-38D) with the additional data
/// session ‖ from ‖ to ‖ "share". The nonce is zero: <see cref="KeySchedule.ShareChannel"/> gives each direction of each pair in each
/// session a key of its own, and a member seals once.
/// </summary>
public static class ShareCipher
{
    /// <summary>What sealing adds.</summary>
    public const int TagBytes = 16;

    private const int NonceBytes = 12;

    /// <summary>Encrypts <paramref name="plaintext"/> into ciphertext ‖ tag: [plaintext.Length + 16].</summary>
    public static void Seal(ReadOnlySpan<byte> key, SessionId session, int from, int to, ReadOnlySpan<byte> plaintext, Span<byte> message)
    {
        using AesGcm cipher = new(key, TagBytes);
        cipher.Encrypt(stackalloc byte[NonceBytes], plaintext, message[..plaintext.Length], message.Slice(plaintext.Length, TagBytes), Context(session, from, to));
    }

    /// <summary>Decrypts ciphertext ‖ tag; false when it was not sealed with this key for this session, sender and recipient.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> key, SessionId session, int from, int to, ReadOnlySpan<byte> message, Span<byte> plaintext)
    {
        if (message.Length != plaintext.Length + TagBytes)
        {
            return false;
        }

        using AesGcm cipher = new(key, TagBytes);
        try
        {
            cipher.Decrypt(stackalloc byte[NonceBytes], message[..^TagBytes], message[^TagBytes..], plaintext, Context(session, from, to));
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            CryptographicOperations.ZeroMemory(plaintext);
            return false;
        }
    }

    private static byte[] Context(SessionId session, int from, int to)
    {
        ReadOnlySpan<byte> label = "share"u8;
        byte[] context = new byte[SessionId.LengthBytes + (2 * sizeof(int)) + label.Length];
        session.Bytes.CopyTo(context);
        BinaryPrimitives.WriteInt32LittleEndian(context.AsSpan(SessionId.LengthBytes), from);
        BinaryPrimitives.WriteInt32LittleEndian(context.AsSpan(SessionId.LengthBytes + sizeof(int)), to);
        label.CopyTo(context.AsSpan(SessionId.LengthBytes + (2 * sizeof(int))));
        return context;
    }
}
