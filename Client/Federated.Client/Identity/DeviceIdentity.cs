using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.SecureAggregation;

namespace Federated.Client.Identity;

/// <summary>An enrolled device: what it shows a server, whom it believes, and when its certificate is due. Thread-safe.</summary>
internal sealed class DeviceIdentity : IDisposable
{
    // Shorter than the third of any sensible certificate that is left when it is renewed.
    private static readonly TimeSpan _longestConnection = TimeSpan.FromHours(1);

    private readonly string _folder;
    private readonly PinnedAuthority _authority;
    private volatile StoredIdentity _stored;
    private volatile X509Certificate2 _certificate;

    private DeviceIdentity(string folder, StoredIdentity stored)
    {
        _folder = folder;
        _stored = stored;
        _authority = new PinnedAuthority(stored.Authority);
        _certificate = stored.OpenCertificate();
    }

    /// <summary>The device.</summary>
    public string DeviceId => _stored.DeviceId;

    /// <summary>Its population; empty when the caller has to name it.</summary>
    public string Population => _stored.Population;

    /// <summary>Where it enrolled.</summary>
    public Uri Server => new(_stored.Server);

    /// <summary>When its certificate ends.</summary>
    public DateTimeOffset CertificateEndsAt => _certificate.NotAfter;

    /// <summary>What a link to its server needs.</summary>
    public LinkSecurity Security
    {
        get
        {
            TimeSpan lifetime = _certificate.NotAfter - _certificate.NotBefore;
            TimeSpan connection = lifetime / 6;
            return new LinkSecurity(_authority.Accepts, () => _certificate, connection < _longestConnection ? connection : _longestConnection);
        }
    }

    /// <summary>Opens the identity of a state folder; null when the device is not enrolled.</summary>
    /// <exception cref="InvalidDataException">What lies there is damaged.</exception>
    public static DeviceIdentity? Open(string folder) =>
        StoredIdentity.Read(folder) is { Certificate.Length: > 0 } stored ? new DeviceIdentity(folder, stored) : null;

    /// <summary>Whether two thirds of the certificate's time are over.</summary>
    public bool IsRenewalDue(DateTimeOffset now)
    {
        DateTimeOffset end = _certificate.NotAfter;
        DateTimeOffset begin = _certificate.NotBefore;
        return now >= end - ((end - begin) / 3);
    }

    /// <summary>What secure aggregation needs of the enrollment; null when the server told no key for its headers.</summary>
    /// <param name="link">The way to the certificates of others.</param>
    /// <exception cref="InvalidDataException">A key on the disk is damaged.</exception>
    public GroupMembership? Enrollment(GrpcServerLink link)
    {
        StoredIdentity stored = _stored;
        if (stored.ServerSigningKey.Length == 0)
        {
            return null;
        }

        try
        {
            return new GroupMembership
            {
                SigningKey = DeviceSigningKey.FromPkcs8(stored.PrivateKey),
                Devices = new CertifiedMembers(_authority, link.MembersAsync),
                ServerKey = DeviceVerifyingKey.FromSubjectPublicKey(stored.ServerSigningKey),
            };
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"'{Path.Combine(_folder, StoredIdentity.FileName)}' holds a damaged key: {e.Message} Enroll the device again.", e);
        }
    }

    /// <summary>Takes a renewed certificate over, on disk first.</summary>
    /// <param name="certificate">DER.</param>
    /// <param name="serverSigningKey">The key that the server signs group headers with; empty when it told none.</param>
    /// <exception cref="InvalidDataException">It is not for this device's key.</exception>
    public void Take(byte[] certificate, byte[] serverSigningKey)
    {
        StoredIdentity renewed = _stored with { Certificate = certificate };
        if (renewed.ServerSigningKey.Length == 0)
        {
            // Once known it stays: whoever could change it could open groups of his own.
            renewed = renewed with { ServerSigningKey = serverSigningKey };
        }

        X509Certificate2 opened = renewed.OpenCertificate();
        renewed.Write(_folder);
        _stored = renewed;

        // Connections under way may still hold the old one, so it is left to the collector.
        _certificate = opened;
    }

    /// <inheritdoc/>
    public void Dispose() => _certificate.Dispose();
}
