using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>What a client demands of a roster before it trusts a single key in it.</summary>
internal static class RosterReading
{
    /// <summary>Reads and verifies every entry: the member with number u is at [u − 1].</summary>
    /// <exception cref="GroupAbortException">The size is out of bounds, an entry is there twice or its signature does not fit.</exception>
    public static GroupMember[] Read(GroupRoster roster, GroupHeader header, IEnrolledDevices devices)
    {
        if (roster.Members.Count < header.MinMembers || roster.Members.Count > header.MaxMembers)
        {
            throw Refuse($"it has {roster.Members.Count} members, the header allows {header.MinMembers} to {header.MaxMembers}");
        }

        ContentHash hash = header.Hash;
        HashSet<AgreementPublicKey> keys = new(2 * roster.Members.Count);
        GroupMember[] members = new GroupMember[roster.Members.Count];
        for (int i = 0; i < members.Length; i++)
        {
            RosterEntry entry = roster.Members[i];
            if (!ProtocolLimits.IsIdentifier(entry.DeviceId))
            {
                throw Refuse($"member {i + 1} has no device identifier");
            }

            // Strictly ascending: no device is there twice, and the server has no choice of numbers.
            if (i > 0 && string.CompareOrdinal(roster.Members[i - 1].DeviceId, entry.DeviceId) >= 0)
            {
                throw Refuse($"device {entry.DeviceId} stands twice or out of order");
            }

            members[i] = ReadMember(entry, hash, devices);
            if (!keys.Add(members[i].MaskKey) || !keys.Add(members[i].ChannelKey))
            {
                throw Refuse($"device {entry.DeviceId} has a key that is there already");
            }
        }

        return members;
    }

    /// <summary>The client's own number.</summary>
    /// <exception cref="GroupAbortException">It is not there, or with other keys.</exception>
    public static int FindOwn(GroupMember[] members, string deviceId, AgreementPublicKey maskKey, AgreementPublicKey channelKey)
    {
        int index = Array.FindIndex(members, member => member.DeviceId == deviceId);
        return index >= 0 && members[index].MaskKey.Equals(maskKey) && members[index].ChannelKey.Equals(channelKey)
            ? index + 1
            : throw Refuse("it does not hold this client with the keys it has advertised");
    }

    private static GroupMember ReadMember(RosterEntry entry, ContentHash header, IEnrolledDevices devices)
    {
        if (!AgreementPublicKey.TryRead(entry.MaskKey.Span, out AgreementPublicKey? maskKey)
            || !AgreementPublicKey.TryRead(entry.ChannelKey.Span, out AgreementPublicKey? channelKey))
        {
            throw Refuse($"a key of device {entry.DeviceId} is no point of the curve");
        }

        DeviceVerifyingKey enrolled = devices.Find(entry.DeviceId)
            ?? throw new GroupAbortException(GroupRefusalReason.Signature, $"Device {entry.DeviceId} of the roster is not enrolled.");
        return enrolled.Verify(SignedStatements.Keys(header, entry.DeviceId, maskKey, channelKey), entry.Signature.Span)
            ? new GroupMember(entry.DeviceId, maskKey, channelKey, entry.Signature.Memory)
            : throw new GroupAbortException(GroupRefusalReason.Signature, $"The keys of device {entry.DeviceId} are not signed by it for this header.");
    }

    private static GroupAbortException Refuse(string why) => new(GroupRefusalReason.Roster, $"The roster is refused: {why}.");
}
