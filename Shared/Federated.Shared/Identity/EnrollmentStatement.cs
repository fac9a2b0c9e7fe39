using System.Text;
using Federated.Shared.Models;

namespace Federated.Shared.Identity;

/// <summary>
/// What a device signs when it enrolls, which proves that it holds the private key and binds the request to one token and one authority: a label,
/// the hash of the secret, the authority's fingerprint, device, population and key, each text with its length in front.
/// </summary>
public static class EnrollmentStatement
{
    private static readonly byte[] _label = Encoding.ASCII.GetBytes("federated enroll 1\n");

    /// <summary>The bytes to sign.</summary>
    /// <param name="secretHash">SHA-256 of the token's secret.</param>
    /// <param name="authority">SHA-256 of the authority's SubjectPublicKeyInfo.</param>
    /// <param name="deviceId">As the request carries it; may be empty.</param>
    /// <param name="population">As the request carries it; may be empty.</param>
    /// <param name="publicKey">SubjectPublicKeyInfo.</param>
    public static byte[] Of(ContentHash secretHash, ContentHash authority, string deviceId, string population, ReadOnlySpan<byte> publicKey)
    {
        using MemoryStream statement = new();
        statement.Write(_label);
        statement.Write(secretHash.ToBytes());
        statement.Write(authority.ToBytes());
        Write(statement, Encoding.UTF8.GetBytes(deviceId));
        Write(statement, Encoding.UTF8.GetBytes(population));
        Write(statement, publicKey);
        return statement.ToArray();
    }

    private static void Write(MemoryStream statement, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
        statement.Write(length);
        statement.Write(part);
    }
}
