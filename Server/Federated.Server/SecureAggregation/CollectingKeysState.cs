using Federated.Shared.Models;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.SecureAggregation;

/// <summary>R0: takes key advertisements of the invited devices; closing it fixes the roster.</summary>
internal sealed class CollectingKeysState(GroupHeader header, IReadOnlyCollection<string> invited, ServerTerms terms) : ServerState
{
    private readonly HashSet<string> _invited = new(invited, StringComparer.Ordinal);
    private readonly HashSet<string> _left = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, GroupMember> _members = new(StringComparer.Ordinal);
    private readonly HashSet<AgreementPublicKey> _keys = [];
    private readonly ContentHash _hash = header.Hash;

    /// <inheritdoc/>
    public override ServerStep Step => ServerStep.CollectingKeys;

    /// <inheritdoc/>
    public override bool IsComplete => _members.Count + _left.Count >= _invited.Count;

    /// <inheritdoc/>
    public override MemberReply Receive(string deviceId, GroupClientMessage message)
    {
        if (!_invited.Contains(deviceId) || _left.Contains(deviceId))
        {
            return new MemberReply(MemberOutcome.Unexpected, $"Device {deviceId} is not invited to this group.");
        }

        if (_members.ContainsKey(deviceId))
        {
            return new MemberReply(MemberOutcome.Duplicate, $"Device {deviceId} has advertised its keys already.");
        }

        if (message.Refusal is { } refusal)
        {
            _left.Add(deviceId);
            return new MemberReply(MemberOutcome.Left, $"Device {deviceId} left the group: {refusal.Detail}");
        }

        if (message.Keys is not { } keys)
        {
            return new MemberReply(MemberOutcome.Unexpected, $"Device {deviceId} sent a {message.StepCase} message before there is a session.");
        }

        return Take(deviceId, keys);
    }

    /// <inheritdoc/>
    public override ServerTransition Close()
    {
        if (_members.Count < header.MinMembers)
        {
            return ServerTransition.Abandon($"{_members.Count} of {_invited.Count} devices advertised keys, at least {header.MinMembers} have to.");
        }

        GroupRoll roll = new(header, [.. _members.Values]);
        GroupRoster roster = new();
        roster.Members.AddRange(roll.Members.Select(member => new RosterEntry
        {
            DeviceId = member.DeviceId,
            MaskKey = ByteString.CopyFrom(member.MaskKey.Span),
            ChannelKey = ByteString.CopyFrom(member.ChannelKey.Span),
            Signature = ByteString.CopyFrom(member.Signature.Span),
        }));
        GroupServerMessage message = roll.NewMessage();
        message.Roster = roster;
        return new ServerTransition(
            new CollectingSharesState(roll, terms), roll.Members.ToDictionary(member => member.DeviceId, _ => message, StringComparer.Ordinal));
    }

    private MemberReply Take(string deviceId, KeyAdvertisement keys)
    {
        if (!keys.HeaderSha256.Span.SequenceEqual(_hash.ToBytes()))
        {
            return new MemberReply(MemberOutcome.WrongSession, $"Device {deviceId} advertised keys for another header.");
        }

        if (!AgreementPublicKey.TryRead(keys.MaskKey.Span, out AgreementPublicKey? maskKey)
            || !AgreementPublicKey.TryRead(keys.ChannelKey.Span, out AgreementPublicKey? channelKey))
        {
            return MemberReply.Malformed($"A key of device {deviceId} is no point of the curve.");
        }

        if (terms.Devices.Find(deviceId)?.Verify(SignedStatements.Keys(_hash, deviceId, maskKey, channelKey), keys.Signature.Span) != true)
        {
            return MemberReply.Malformed($"The keys of device {deviceId} are not signed by an enrolled key of it.");
        }

        if (maskKey.Equals(channelKey) || _keys.Contains(maskKey) || _keys.Contains(channelKey))
        {
            return MemberReply.Malformed($"Device {deviceId} advertised a key that is there already.");
        }

        _keys.Add(maskKey);
        _keys.Add(channelKey);
        _members.Add(deviceId, new GroupMember(deviceId, keys.MaskKey.Memory, keys.ChannelKey.Memory, keys.Signature.Memory));
        return MemberReply.Accepted;
    }
}
