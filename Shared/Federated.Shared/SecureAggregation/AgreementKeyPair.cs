using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// A P-256 key pair for key agreement (NIST SP 800-56A revision 3, section 5.7.1.2). Fresh for one aggregation group and never used again.
/// Not thread-safe.
/// </summary>
public sealed class AgreementKeyPair : IDisposable
{
    /// <summary>Length of the private scalar and of an agreed secret.</summary>
    public const int SecretBytes = 32;

    private readonly ECDiffieHellman _key;

    private AgreementKeyPair(ECDiffieHellman key)
    {
        _key = key;
        PublicKey = AgreementPublicKey.Of(key);
    }

    /// <summary>The public half.</summary>
    public AgreementPublicKey PublicKey { get; }

    /// <summary>Draws a key pair from the operating system's generator.</summary>
    public static AgreementKeyPair Create() => new(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>The pair of a private scalar, 32 big-endian bytes; false when the scalar is none of the curve.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> privateKey, [NotNullWhen(true)] out AgreementKeyPair? pair)
    {
        pair = null;
        byte[] scalar = privateKey.ToArray();
        try
        {
            pair = new AgreementKeyPair(ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar }));
        }
        catch (CryptographicException)
        {
            // Zero, or not below the order of the curve.
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scalar);
        }

        return pair is not null;
    }

    /// <summary>Writes the private scalar: [32], big-endian. The caller clears it.</summary>
    public void ExportPrivateKey(Span<byte> destination)
    {
        ECParameters parameters = _key.ExportParameters(includePrivateParameters: true);
        parameters.D.CopyTo(destination);
        CryptographicOperations.ZeroMemory(parameters.D);
    }

    /// <summary>The x coordinate of private key times peer's point: [32]. It is no key yet; see <see cref="KeySchedule"/>.</summary>
    /// <exception cref="CryptographicException">The framework refuses the point.</exception>
    public void Agree(AgreementPublicKey peer, Span<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(peer);
        using ECDiffieHellman other = ECDiffieHellman.Create(peer.ToParameters());
        using ECDiffieHellmanPublicKey point = other.PublicKey;
        byte[] agreed = _key.DeriveRawSecretAgreement(point);
        agreed.CopyTo(secret);
        CryptographicOperations.ZeroMemory(agreed);
    }

    /// <summary>Releases the private key.</summary>
    public void Dispose() => _key.Dispose();
}
