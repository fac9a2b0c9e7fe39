using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Federated.Client.Transport;

/// <summary>Whom a link believes and as whom it shows up. TLS 1.3 only.</summary>
/// <param name="ServerCheck">Judges the server's certificate.</param>
/// <param name="Certificate">The device's certificate with its key, asked for with every new connection; null for none.</param>
/// <param name="ConnectionLifetime">A connection is not used for longer, so that a renewed certificate is shown in time.</param>
public sealed record LinkSecurity(RemoteCertificateValidationCallback ServerCheck, Func<X509Certificate2?> Certificate, TimeSpan ConnectionLifetime);
