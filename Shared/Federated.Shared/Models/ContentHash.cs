using System.Security.Cryptography;

namespace Federated.Shared.Models;

/// <summary>The SHA-256 of an immutable object, which is also its name. Compares by value.</summary>
public readonly record struct ContentHash
{
    /// <summary>Length of the binary form.</summary>
    public const int LengthBytes = SHA256.HashSizeInBytes;

    private readonly string? _hex;

    // All zeros is what default holds, so that the two are equal.
    private ContentHash(string hex) => _hex = hex.AsSpan().ContainsAnyExcept('0') ? hex : null;

    /// <summary>64 lower-case hexadecimal characters; the hash of nothing at all is all zeros.</summary>
    public string Hex => _hex ?? new string('0', 2 * LengthBytes);

    /// <summary>Hashes <paramref name="content"/>.</summary>
    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> digest = stackalloc byte[LengthBytes];
        SHA256.HashData(content, digest);
        return FromBytes(digest);
    }

    /// <summary>Wraps a digest of exactly 32 bytes.</summary>
    /// <exception cref="ArgumentException">The length is not 32.</exception>
    public static ContentHash FromBytes(ReadOnlySpan<byte> digest) => digest.Length == LengthBytes
        ? new ContentHash(Convert.ToHexStringLower(digest))
        : throw new ArgumentException($"A SHA-256 has {LengthBytes} bytes, this has {digest.Length}.", nameof(digest));

    /// <summary>Reads 64 hexadecimal characters of either case.</summary>
    public static bool TryParse(string? text, out ContentHash hash)
    {
        hash = default;
        if (text is not { Length: 2 * LengthBytes } || !text.All(char.IsAsciiHexDigit))
        {
            return false;
        }

        hash = new ContentHash(text.ToLowerInvariant());
        return true;
    }

    /// <summary>Reads 64 hexadecimal characters of either case.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static ContentHash Parse(string text) => TryParse(text, out ContentHash hash)
        ? hash
        : throw new FormatException($"'{text}' is not a SHA-256 of {2 * LengthBytes} hexadecimal characters.");

    /// <summary>The 32 bytes of the digest.</summary>
    public byte[] ToBytes() => Convert.FromHexString(Hex);

    /// <inheritdoc/>
    public override string ToString() => Hex;
}
