using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Federated.Shared.Models;

namespace Federated.Shared.Identity;

/// <summary>
/// What an operator gives a device so that it may enroll: a secret the server knows by its hash, and the fingerprint of the server's authority, so
/// that the device knows whom to tell the secret. As text: <c>fed1.</c> and 64 characters of base64url. Immutable.
/// </summary>
public sealed class EnrollmentToken
{
    /// <summary>Length of the secret.</summary>
    public const int SecretBytes = 16;

    private const string Prefix = "fed1.";
    private const int TotalBytes = SecretBytes + ContentHash.LengthBytes;

    private readonly byte[] _secret;

    private EnrollmentToken(byte[] secret, ContentHash authority)
    {
        _secret = secret;
        Authority = authority;
    }

    /// <summary>SHA-256 of the authority's SubjectPublicKeyInfo.</summary>
    public ContentHash Authority { get; }

    /// <summary>The secret: [16]. Never logged.</summary>
    public ReadOnlyMemory<byte> Secret => _secret;

    /// <summary>What the server keeps instead of the secret.</summary>
    public ContentHash SecretHash => ContentHash.Of(_secret);

    /// <summary>Draws a secret from the operating system's generator.</summary>
    public static EnrollmentToken Create(ContentHash authority) => new(RandomNumberGenerator.GetBytes(SecretBytes), authority);

    /// <summary>Reads what <see cref="ToText"/> wrote.</summary>
    /// <exception cref="FormatException">The text is no token. The message does not repeat it.</exception>
    public static EnrollmentToken Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        byte[] bytes = new byte[TotalBytes];
        string body = text.Trim();
        if (!body.StartsWith(Prefix, StringComparison.Ordinal)
            || body.Length != Prefix.Length + Base64Url.GetEncodedLength(TotalBytes)
            || !Base64Url.TryDecodeFromUtf8(Encoding.ASCII.GetBytes(body[Prefix.Length..]), bytes, out int written)
            || written != TotalBytes)
        {
            throw new FormatException(
                $"The token is not one: expected are '{Prefix}' and {Base64Url.GetEncodedLength(TotalBytes)} characters, as 'devices tokens create' prints them. It has {body.Length} characters.");
        }

        return new EnrollmentToken(bytes[..SecretBytes], ContentHash.FromBytes(bytes.AsSpan(SecretBytes)));
    }

    /// <summary>The token as it is handed to a device.</summary>
    public string ToText() => Prefix + Base64Url.EncodeToString((byte[])[.. _secret, .. Authority.ToBytes()]);
}
