using System.Security.Cryptography.X509Certificates;

namespace Federated.Server.Identity;

/// <summary>The server's own certificate, issued by its authority at every start and again after half its time. Thread-safe.</summary>
internal sealed class ServerCertificate(DeviceAuthority authority, IReadOnlyList<string> names, TimeProvider time)
{
    private static readonly TimeSpan _lifetime = TimeSpan.FromDays(90);

    private readonly Lock _issuing = new();
    private X509Certificate2? _current;
    private DateTimeOffset _renewAt;

    /// <summary>The certificate to show now. Handshakes under way may still use an earlier one, so none is disposed.</summary>
    public X509Certificate2 Current
    {
        get
        {
            lock (_issuing)
            {
                DateTimeOffset now = time.GetUtcNow();
                if (_current is null || now >= _renewAt)
                {
                    _current = authority.IssueServer(names, now, _lifetime);
                    _renewAt = now + (_lifetime / 2);
                }

                return _current;
            }
        }
    }
}
