using System.Collections.Concurrent;

namespace Federated.Server.Identity;

/// <summary>
/// The certificates by which members of a group know each other. Each is signed once and told to all who ask: in a round of groups of a hundred every device is asked
/// for a hundred times. As many as there are enrolled devices. Thread-safe.
/// </summary>
internal sealed class MemberCertificates(DeviceAuthority authority)
{
    private readonly ConcurrentDictionary<string, Signed> _signed = new(StringComparer.Ordinal);

    /// <summary>The certificate of an enrolled device, DER. It holds no longer than what the device itself was given.</summary>
    public byte[] Of(EnrolledDevice device, DateTimeOffset now) => _signed.AddOrUpdate(
        device.DeviceId,
        _ => Sign(device, now),
        (_, known) => known.EndsAt == device.CertificateEndsAt && known.PublicKey.AsSpan().SequenceEqual(device.PublicKey) ? known : Sign(device, now)).Certificate;

    private Signed Sign(EnrolledDevice device, DateTimeOffset now) => new(
        device.PublicKey, device.CertificateEndsAt, authority.IssueDevice(device.PublicKey, device.DeviceId, now, device.CertificateEndsAt - now));

    private sealed record Signed(byte[] PublicKey, DateTimeOffset EndsAt, byte[] Certificate);
}
