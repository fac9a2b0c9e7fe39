using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Federated.Server.Hosting;
using Federated.Server.Storage;
using Federated.Shared.Files;
using Federated.Shared.Identity;
using Federated.Shared.Models;

namespace Federated.Server.Identity;

/// <summary>
/// The authority that devices trust and that vouches for them: an ECDSA P-256 key with a self-signed certificate of its own, or one that an operator
/// put into its folder. Issues certificates; keeps none. Thread-safe.
/// </summary>
internal sealed class DeviceAuthority : IDisposable
{
    private const int SerialBytes = 16;

    // Devices' clocks are wrong more often than anything else about them.
    private static readonly TimeSpan _backdated = TimeSpan.FromHours(24);
    private static readonly TimeSpan _ownLifetime = TimeSpan.FromDays(3650);

    private readonly X509Certificate2 _certificate;
    private readonly Lock _signing = new();

    private DeviceAuthority(X509Certificate2 certificate)
    {
        _certificate = certificate;
        Fingerprint = ContentHash.Of(certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    /// <summary>SHA-256 of its SubjectPublicKeyInfo, which tokens carry.</summary>
    public ContentHash Fingerprint { get; }

    /// <summary>Its certificate, DER.</summary>
    public byte[] Certificate => _certificate.RawData;

    /// <summary>Opens the authority of a folder, or makes one there.</summary>
    /// <exception cref="RefusedOptionsException">
    /// The folder or a file of it cannot be used, only half of it is there, it is no authority, or others can read its key.
    /// </exception>
    public static DeviceAuthority Open(string folder, DateTimeOffset now)
    {
        string keyPath = Path.Combine(folder, "authority.key");
        string certificatePath = Path.Combine(folder, "authority.crt");
        try
        {
            MakeIfNew(folder, keyPath, certificatePath, now);
            OwnerOnly.DemandOwnerOnly(keyPath);
            return new DeviceAuthority(Checked(X509Certificate2.CreateFromPemFile(certificatePath, keyPath), certificatePath));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new RefusedOptionsException(
                $"'{certificatePath}' and '{keyPath}' are no certificate with its key, as PEM and without a password: {e.Message} Restore both from a backup.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedOptionsException(
                $"The authority in '{folder}' cannot be used: {e.Message} Give the user of this process that folder and its files, or name another with --authority.", e);
        }
    }

    /// <summary>A certificate for a device's key.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo of a P-256 key.</param>
    /// <param name="deviceId">Becomes the common name.</param>
    /// <param name="now">Begins to hold a day before.</param>
    /// <param name="lifetime">How long it holds; never longer than the authority itself.</param>
    public byte[] IssueDevice(ReadOnlySpan<byte> publicKey, string deviceId, DateTimeOffset now, TimeSpan lifetime)
    {
        using ECDsa key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(publicKey, out _);
        CertificateRequest request = new(Name(deviceId), key, HashAlgorithmName.SHA256);
        Restrict(request, IdentityNames.ClientUsage);
        using X509Certificate2 issued = Sign(request, now, lifetime);
        return issued.RawData;
    }

    /// <summary>A certificate with a fresh key for the server itself.</summary>
    public X509Certificate2 IssueServer(IReadOnlyList<string> names, DateTimeOffset now, TimeSpan lifetime)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(Name("federated-server"), key, HashAlgorithmName.SHA256);
        Restrict(request, IdentityNames.ServerUsage);
        SubjectAlternativeNameBuilder alternatives = new();
        alternatives.AddDnsName(IdentityNames.Server);
        alternatives.AddDnsName("localhost");
        alternatives.AddIpAddress(IPAddress.Loopback);
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out IPAddress? address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using X509Certificate2 issued = Sign(request, now, lifetime);
        return issued.CopyWithPrivateKey(key);
    }

    /// <summary>Whether this authority issued the certificate for a device, whatever the time.</summary>
    public bool Issued(X509Certificate2 certificate)
    {
        using X509Chain chain = new();
        chain.ChainPolicy = Policy();
        chain.ChainPolicy.CustomTrustStore.Add(_certificate);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(IdentityNames.ClientUsage));
        return chain.Build(certificate);
    }

    /// <summary>How certificates are judged: by this machine alone, and without the time, which is judged apart.</summary>
    public static X509ChainPolicy Policy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid,
    };

    /// <inheritdoc/>
    public void Dispose() => _certificate.Dispose();

    private static void MakeIfNew(string folder, string keyPath, string certificatePath, DateTimeOffset now)
    {
        OwnerOnly.CreateFolder(folder);
        if (!File.Exists(keyPath) && !File.Exists(certificatePath))
        {
            // The certificate comes last: a key without one is a start that was cut off before anybody could trust it.
            using X509Certificate2 made = Make(now, out string key);
            ReplacedFile.Write(keyPath, Encoding.ASCII.GetBytes(key));
            ReplacedFile.Write(certificatePath, Encoding.ASCII.GetBytes(made.ExportCertificatePem()));
        }
        else if (!File.Exists(certificatePath))
        {
            throw new RefusedOptionsException($"'{keyPath}' has no certificate '{certificatePath}' beside it. Restore it, or delete the key to begin with a new authority.");
        }
        else if (!File.Exists(keyPath))
        {
            throw new RefusedOptionsException($"'{certificatePath}' has no key '{keyPath}' beside it. Restore it: without it no device can be enrolled.");
        }
    }

    private static X509Certificate2 Make(DateTimeOffset now, out string keyPem)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(Name("Federated authority"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        keyPem = key.ExportPkcs8PrivateKeyPem();
        return request.CreateSelfSigned(now - _backdated, now + _ownLifetime);
    }

    private static X509Certificate2 Checked(X509Certificate2 certificate, string path) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority)
        && certificate.GetECDsaPublicKey() is not null
            ? certificate
            : throw new RefusedOptionsException($"'{path}' is no certificate of an authority with an elliptic-curve key. Make one with 'basicConstraints=CA:TRUE' over P-256.");

    private static X500DistinguishedName Name(string common)
    {
        X500DistinguishedNameBuilder name = new();
        name.AddCommonName(common);
        return name.Build();
    }

    private static void Restrict(CertificateRequest request, string usage)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: true));
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset now, TimeSpan lifetime)
    {
        DateTimeOffset ownEnd = _certificate.NotAfter;
        DateTimeOffset ownBegin = _certificate.NotBefore;
        DateTimeOffset begin = now - _backdated;
        DateTimeOffset end = now + lifetime;
        lock (_signing)
        {
            return request.Create(
                _certificate, begin > ownBegin ? begin : ownBegin, end < ownEnd ? end : ownEnd, RandomNumberGenerator.GetBytes(SerialBytes));
        }
    }
}
