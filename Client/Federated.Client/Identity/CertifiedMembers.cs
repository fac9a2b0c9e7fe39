using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Identity;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Client.Identity;

/// <summary>
/// Keys of other devices, each proven by a certificate of the pinned authority: the server only carries them. They are kept in memory and asked for
/// again with what is known of them, so that a device that enrolled with a new key is known by it in its next group. For one session.
/// </summary>
/// <param name="authority">Whose certificates count.</param>
/// <param name="ask">Asks the server.</param>
internal sealed class CertifiedMembers(PinnedAuthority authority, Func<MembersRequest, ByteCounter, CancellationToken, Task<MembersReply>> ask) : IMemberDirectory
{
    // What a group of the largest size needs, several times over; a device of a large fleet meets new ones in every round.
    private const int MaxKept = 4 * MemberKeyTag.MaxMembers;

    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public DeviceVerifyingKey? Find(string deviceId) => _members.GetValueOrDefault(deviceId)?.Key;

    /// <inheritdoc/>
    public async Task LearnAsync(IReadOnlyCollection<string> deviceIds, ByteCounter counter, CancellationToken cancellationToken)
    {
        if (_members.Count + deviceIds.Count > MaxKept)
        {
            _members.Clear();
        }

        HashSet<string> asked = new(deviceIds, StringComparer.Ordinal);
        MembersRequest request = new() { ProtocolVersion = ProtocolLimits.Version };
        foreach (string deviceId in asked)
        {
            request.Members.Add(new KnownMember
            {
                DeviceId = deviceId,
                KeyTag = _members.TryGetValue(deviceId, out Member? known) ? UnsafeByteOperations.UnsafeWrap(known.Tag) : ByteString.Empty,
            });
        }

        MembersReply reply = await ask(request, counter, cancellationToken).ConfigureAwait(false);
        foreach (ByteString der in reply.Certificates)
        {
            if (Read(der.Span) is { } member && asked.Contains(member.DeviceId))
            {
                _members[member.DeviceId] = member;
            }
        }
    }

    private Member? Read(ReadOnlySpan<byte> der)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            if (!authority.Vouches(certificate, IdentityNames.ClientUsage))
            {
                return null;
            }

            byte[] key = certificate.PublicKey.ExportSubjectPublicKeyInfo();
            return new Member(
                certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), DeviceVerifyingKey.FromSubjectPublicKey(key), MemberKeyTag.Of(key));
        }
        catch (CryptographicException)
        {
            // No certificate, or not of such a key: as if it had not been sent.
            return null;
        }
    }

    // Keys are left to the collector: one that is replaced may be in use.
    private sealed record Member(string DeviceId, DeviceVerifyingKey Key, byte[] Tag);
}
