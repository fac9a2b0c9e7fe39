using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Identity;
using Federated.Shared.Models;

namespace Federated.Client.Identity;

/// <summary>
/// The one authority a device believes. A server is the right one when this authority issued its certificate for a TLS server with the
/// server's name of the protocol; the address it was reached by may change. Thread-safe.
/// </summary>
internal sealed class PinnedAuthority
{
    private readonly X509Certificate2 _certificate;

    /// <summary>Pins a certificate, DER.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It is none.</exception>
    public PinnedAuthority(byte[] certificate) => _certificate = X509CertificateLoader.LoadCertificate(certificate);

    /// <summary>SHA-256 of its SubjectPublicKeyInfo, which a token names.</summary>
    public ContentHash Fingerprint => ContentHash.Of(_certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>Judges the server's certificate in a handshake.</summary>
    public bool Accepts(object sender, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return false;
        }

        using X509Certificate2 server = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return Vouches(server, IdentityNames.ServerUsage) && server.MatchesHostname(IdentityNames.Server);
    }

    /// <summary>Whether the authority issued the certificate for this use and it holds now.</summary>
    public bool Vouches(X509Certificate2 certificate, string usage)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.CustomTrustStore.Add(_certificate);
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(usage));
        return chain.Build(certificate);
    }
}
