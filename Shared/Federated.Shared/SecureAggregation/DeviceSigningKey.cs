using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>The long-lived key a device (or the server) signs with: ECDSA on P-256 with SHA-256 (FIPS 186-5). Thread-safe.</summary>
public sealed class DeviceSigningKey : IDisposable
{
    /// <summary>Length of a signature: r ‖ s.</summary>
    public const int SignatureBytes = 64;

    private readonly Lock _lock = new();
    private readonly ECDsa _key;

    private DeviceSigningKey(ECDsa key) => _key = key;

    /// <summary>Draws a key from the operating system's generator.</summary>
    public static DeviceSigningKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads what <see cref="ToPkcs8"/> wrote.</summary>
    /// <exception cref="CryptographicException">The bytes are no private key.</exception>
    public static DeviceSigningKey FromPkcs8(ReadOnlySpan<byte> privateKey)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(privateKey, out _);
            return key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value
                ? new DeviceSigningKey(key)
                : throw new CryptographicException("A device signs on P-256; this key is on another curve.");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The private key, PKCS #8. The caller keeps it safe.</summary>
    public byte[] ToPkcs8() => _key.ExportPkcs8PrivateKey();

    /// <summary>The public half, which is enrolled.</summary>
    public DeviceVerifyingKey ToVerifyingKey() => DeviceVerifyingKey.FromSubjectPublicKey(_key.ExportSubjectPublicKeyInfo());

    /// <summary>Signs: [64].</summary>
    public byte[] Sign(ReadOnlySpan<byte> statement)
    {
        lock (_lock)
        {
            return _key.SignData(statement, HashAlgorithmName.SHA256);
        }
    }

    /// <summary>Releases the private key.</summary>
    public void Dispose() => _key.Dispose();
}
