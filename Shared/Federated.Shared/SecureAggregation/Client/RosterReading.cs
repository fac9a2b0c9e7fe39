using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>What a client demands of a roster before it trusts a key in it.</summary>
internal static class RosterReading
{
    /// <summary>Reads every entry: the member with number u is at [u − 1]. Keys and signatures are not looked at yet.</summary>
    /// <exception cref="GroupAbortException">The size is out of bounds, or a device or a key is there twice.</exception>
    public static GroupMember[] Read(GroupRoster roster, GroupHeader header)
    {
        if (roster.Members.Count < header.MinMembers || roster.Members.Count > header.MaxMembers)
        {
            throw Refuse($"it has {roster.Members.Count} members, the header allows {header.MinMembers} to {header.MaxMembers}");
        }

        HashSet<string> keys = new(2 * roster.Members.Count, StringComparer.Ordinal);
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

            if (!keys.Add(entry.MaskKey.ToBase64()) || !keys.Add(entry.ChannelKey.ToBase64()))
            {
                throw Refuse($"device {entry.DeviceId} has a key that is there already");
            }

            members[i] = new GroupMember(entry.DeviceId, entry.MaskKey.Memory, entry.ChannelKey.Memory, entry.Signature.Memory);
        }

        return members;
    }

    /// <summary>The client's own number.</summary>
    /// <exception cref="GroupAbortException">It is not there, or with other keys.</exception>
    public static int FindOwn(GroupMember[] members, string deviceId, AgreementPublicKey maskKey, AgreementPublicKey channelKey)
    {
        int index = Array.FindIndex(members, member => member.DeviceId == deviceId);
        return index >= 0 && members[index].MaskKey.Span.SequenceEqual(maskKey.Bytes) && members[index].ChannelKey.Span.SequenceEqual(channelKey.Bytes)
            ? index + 1
            : throw Refuse("it does not hold this client with the keys it has advertised");
    }

    /// <summary>A neighbour's keys, once its enrolled device is found to have signed them for this header.</summary>
    /// <exception cref="GroupAbortException">The device is not enrolled, its signature does not fit, or its keys are none.</exception>
    public static NeighbourKeys Verify(GroupMember member, ContentHash header, IEnrolledDevices devices)
    {
        if (!AgreementPublicKey.TryRead(member.MaskKey.Span, out AgreementPublicKey? maskKey)
            || !AgreementPublicKey.TryRead(member.ChannelKey.Span, out AgreementPublicKey? channelKey))
        {
            throw Refuse($"a key of device {member.DeviceId} is no point of the curve");
        }

        DeviceVerifyingKey enrolled = devices.Find(member.DeviceId)
            ?? throw new GroupAbortException(GroupRefusalReason.Signature, $"Device {member.DeviceId} of the roster is not enrolled.");
        return enrolled.Verify(SignedStatements.Keys(header, member.DeviceId, maskKey, channelKey), member.Signature.Span)
            ? new NeighbourKeys(maskKey, channelKey)
            : throw new GroupAbortException(GroupRefusalReason.Signature, $"The keys of device {member.DeviceId} are not signed by it for this header.");
    }

    private static GroupAbortException Refuse(string why) => new(GroupRefusalReason.Roster, $"The roster is refused: {why}.");
}
