using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Protocol;

namespace Federated.Server.Identity;

/// <summary>
/// Tells who calls from the certificate of a connection, whose key the handshake has proven. What never changes is judged once a connection; end and
/// revocation with every call. Thread-safe.
/// </summary>
internal sealed class CallerCheck(DeviceAuthority authority, DeviceRegistry registry, IdentityOptions options, TimeProvider time)
{
    private readonly ConditionalWeakTable<X509Certificate2, Judged> _judged = [];

    /// <summary>The calling device.</summary>
    /// <param name="certificate">The connection's; null when it brought none.</param>
    /// <param name="mayBeExpired">Whether a certificate within its grace is enough.</param>
    /// <exception cref="ProtocolViolationException">The call is not a device's that may make it.</exception>
    public EnrolledDevice Demand(X509Certificate2? certificate, bool mayBeExpired)
    {
        if (certificate is null)
        {
            throw new ProtocolViolationException(ErrorCode.NotEnrolled, "The call came without a device certificate.");
        }

        Judged judged = _judged.GetValue(certificate, Judge);
        if (!judged.IsOurs)
        {
            // The name on it proves nothing, but whoever looks at the device of that name wants to know.
            throw new ProtocolViolationException(
                ErrorCode.ForeignCertificate, $"The certificate was not issued by this server's authority for a device; it names itself '{Shown(judged.DeviceId)}'.")
            {
                DeviceId = judged.DeviceId,
            };
        }

        if (registry.Find(judged.DeviceId) is not { } device)
        {
            throw new ProtocolViolationException(ErrorCode.NotEnrolled, $"Device '{judged.DeviceId}' is not enrolled with this server.");
        }

        (ErrorCode Code, string Detail)? fault = FaultOf(device, judged, certificate, mayBeExpired);
        if (fault is { } found)
        {
            throw new ProtocolViolationException(found.Code, found.Detail) { DeviceId = device.DeviceId };
        }

        return device;
    }

    private (ErrorCode Code, string Detail)? FaultOf(EnrolledDevice device, Judged judged, X509Certificate2 certificate, bool mayBeExpired)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset end = certificate.NotAfter;
        return device.RevokedAt is { } since
            ? (ErrorCode.DeviceRevoked, $"Device '{device.DeviceId}' was revoked at {since:u}.")
            : !judged.PublicKey.AsSpan().SequenceEqual(device.PublicKey)
            ? (ErrorCode.ForeignCertificate, $"Device '{device.DeviceId}' has enrolled again with another key.")
            : now > end + (mayBeExpired ? options.RenewalGrace : TimeSpan.Zero)
            ? (ErrorCode.CertificateExpired, $"The certificate of device '{device.DeviceId}' ended at {end:u}.")
            : null;
    }

    private static string Shown(string name) => ProtocolLimits.IsIdentifier(name) ? name : $"something of {name.Length} characters";

    private Judged Judge(X509Certificate2 certificate) => new(
        authority.Issued(certificate),
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false),
        certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private sealed record Judged(bool IsOurs, string DeviceId, byte[] PublicKey);
}
