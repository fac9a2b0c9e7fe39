using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Federated.Client.Tests.Scene;

/// <summary>A certificate for one name from an authority of its own.</summary>
internal sealed class StoreCertificate : IDisposable
{
    public StoreCertificate(string name)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest authority = new($"CN=authority of {name}", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using X509Certificate2 root = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        AuthorityPem = root.ExportCertificatePem();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = request.Create(root, now.AddHours(-1), now.AddDays(1), [1, 2, 3, 4]);
        using X509Certificate2 withKey = issued.CopyWithPrivateKey(key);
        Server = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>What the store shows, with its key.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>The authority, as systems keep theirs.</summary>
    public string AuthorityPem { get; }

    public void Dispose() => Server.Dispose();
}
