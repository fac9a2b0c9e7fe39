using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// The public half of a <see cref="DeviceSigningKey"/>. Reading it in costs as much as using it, so keep it. Thread-safe.
/// </summary>
public sealed class DeviceVerifyingKey : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ECDsa _key;

    private DeviceVerifyingKey(ECDsa key) => _key = key;

    /// <summary>Reads an X.509 SubjectPublicKeyInfo of a P-256 key.</summary>
    /// <exception cref="CryptographicException">The bytes are no such key.</exception>
    public static DeviceVerifyingKey FromSubjectPublicKey(ReadOnlySpan<byte> subjectPublicKey)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(subjectPublicKey, out _);
            return key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value
                ? new DeviceVerifyingKey(key)
                : throw new CryptographicException("A device signs on P-256; this key is on another curve.");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The key as X.509 SubjectPublicKeyInfo.</summary>
    public byte[] ToSubjectPublicKey() => _key.ExportSubjectPublicKeyInfo();

    /// <summary>Whether the signature is this key's over the statement.</summary>
    public bool Verify(ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != DeviceSigningKey.SignatureBytes)
        {
            return false;
        }

        lock (_lock)
        {
            return _key.VerifyData(statement, signature, HashAlgorithmName.SHA256);
        }
    }

    /// <summary>Releases the key.</summary>
    public void Dispose() => _key.Dispose();
}
