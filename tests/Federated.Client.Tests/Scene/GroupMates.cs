using Federated.Client.Session;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Federated.Shared.SecureAggregation.Client;
using Google.Protobuf;

namespace Federated.Client.Tests.Scene;

/// <summary>
/// An aggregation group around one device: two real members, and a server that relays what the members say and may be played dishonest. The
/// device under test is member 1.
/// </summary>
internal sealed class GroupMates : IEnrolledDevices, IDisposable
{
    public const string Device = "device-1";
    private static readonly string[] _names = [Device, "device-2", "device-3"];

    private readonly Dictionary<string, DeviceSigningKey> _keys = _names.ToDictionary(name => name, _ => DeviceSigningKey.Create());
    private readonly DeviceSigningKey _serverKey = DeviceSigningKey.Create();
    private readonly PlanDocument _plan;
    private SecureAggregationClient[] _mates = [];
    private KeyAdvertisement[] _mateKeys = [];
    private ByteString _session = ByteString.Empty;
    private int _attempt;

    /// <param name="plan">A plan with a linear round and a group.</param>
    public GroupMates(PlanDocument plan) => _plan = plan;

    public GroupMembership Enrollment => new() { SigningKey = _keys[Device], Devices = this, ServerKey = _serverKey.ToVerifyingKey() };

    public DeviceVerifyingKey? Find(string deviceId) => _keys.GetValueOrDefault(deviceId)?.ToVerifyingKey();

    /// <summary>Begins an attempt with fresh mates.</summary>
    public GroupReply Invite(int attempt)
    {
        Array.ForEach(_mates, mate => mate.Dispose());
        _attempt = attempt;
        GroupHeader header = Header();
        GroupServerMessage message = new()
        {
            Invitation = new GroupInvitation
            {
                Header = ByteString.CopyFrom(header.ToBytes()),
                Signature = ByteString.CopyFrom(_serverKey.Sign(SignedStatements.Header(header.ToBytes()))),
            },
        };
        _mates = [.. _names.Skip(1).Select(name => NewMate(name, header))];
        _mateKeys = [.. _mates.Select(mate => mate.Receive(message).Keys)];
        return Reply(message);
    }

    /// <summary>The roster, once the device has advertised its keys.</summary>
    public GroupReply Roster(KeyAdvertisement own)
    {
        GroupServerMessage message = new() { Roster = new GroupRoster() };
        KeyAdvertisement[] all = [own, .. _mateKeys];
        message.Roster.Members.AddRange(_names.Zip(all, (name, keys) =>
            new RosterEntry { DeviceId = name, MaskKey = keys.MaskKey, ChannelKey = keys.ChannelKey, Signature = keys.Signature }));
        GroupMember[] members = [.. message.Roster.Members.Select(entry =>
            new GroupMember(entry.DeviceId, entry.MaskKey.Memory, entry.ChannelKey.Memory, entry.Signature.Memory))];
        _session = ByteString.CopyFrom(SessionId.Of(Header(), members).Bytes);
        message.SessionId = _session;
        return Reply(message);
    }

    /// <summary>The shares that the mates seal for the device.</summary>
    public GroupReply Shares(GroupServerMessage roster)
    {
        GroupServerMessage message = new() { SessionId = _session, Shares = new IncomingShares() };
        message.Shares.Shares.AddRange(_mates.Select((mate, i) => new SealedShares
        {
            Member = (uint)i + 2,
            Ciphertext = mate.Receive(roster).Shares.Shares.Single(shares => shares.Member == 1).Ciphertext,
        }));
        return Reply(message);
    }

    public void Dispose()
    {
        Array.ForEach(_mates, mate => mate.Dispose());
        foreach (DeviceSigningKey key in _keys.Values)
        {
            key.Dispose();
        }

        _serverKey.Dispose();
    }

    private static GroupReply Reply(GroupServerMessage message) => new() { Standing = GroupStanding.Message, Message = message };

    private GroupHeader Header() => new()
    {
        JobId = _plan.JobId,
        Round = _plan.Round,
        Group = (_attempt << 16) | _plan.Group!.Value,
        Model = _plan.Adapter,
        Plan = _plan.Hash,
        FieldCount = _plan.Linear!.FieldCount,
        WidthBits = _plan.Linear.WidthBits,
        MinField = -_plan.Linear.Limit,
        MaxField = _plan.Linear.Limit,
        MinMembers = 3,
        MaxMembers = 3,
    };

    private SecureAggregationClient NewMate(string name, GroupHeader header)
    {
        ClientTerms terms = new()
        {
            DeviceId = name,
            SigningKey = _keys[name],
            Devices = this,
            ServerKey = _serverKey.ToVerifyingKey(),
            JobId = header.JobId,
            Round = header.Round,
            Group = header.Group,
            Plan = header.Plan,
        };
        return new SecureAggregationClient(terms, new ClientInput(new FieldVector(header.FieldCount, header.WidthBits), header.Model));
    }
}
