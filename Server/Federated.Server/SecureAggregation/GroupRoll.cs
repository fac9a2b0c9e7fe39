using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.SecureAggregation;

/// <summary>Who is in a group once the roster is fixed. Immutable.</summary>
internal sealed class GroupRoll
{
    private readonly Dictionary<string, int> _numbers;

    /// <summary>The roll of a header and its members in order of their numbers.</summary>
    public GroupRoll(GroupHeader header, GroupMember[] members)
    {
        Header = header;
        Members = members;
        Session = SessionId.Of(header, members);
        Topology = GroupTopology.Of(header, members.Length, Session);
        _numbers = members.Select((member, i) => (member.DeviceId, Number: i + 1))
            .ToDictionary(pair => pair.DeviceId, pair => pair.Number, StringComparer.Ordinal);
    }

    /// <summary>The terms.</summary>
    public GroupHeader Header { get; }

    /// <summary>U1: member u at [u − 1].</summary>
    public GroupMember[] Members { get; }

    /// <summary>The session.</summary>
    public SessionId Session { get; }

    /// <summary>Neighbours and threshold.</summary>
    public GroupTopology Topology { get; }

    /// <summary>A member's device.</summary>
    public string DeviceOf(int member) => Members[member - 1].DeviceId;

    /// <summary>A member's mask key.</summary>
    public AgreementPublicKey MaskKeyOf(int member) => AgreementPublicKey.TryRead(Members[member - 1].MaskKey.Span, out AgreementPublicKey? key)
        ? key
        : throw new InvalidOperationException($"The mask key of member {member} was taken without being a point of the curve.");

    /// <summary>A device's number; 0 when it is no member.</summary>
    public int NumberOf(string deviceId) => _numbers.GetValueOrDefault(deviceId);

    /// <summary>An empty message of this session.</summary>
    public GroupServerMessage NewMessage() => new() { SessionId = ByteString.CopyFrom(Session.Bytes) };

    /// <summary>
    /// The first member of <paramref name="of"/> of whose share holders fewer than t are in <paramref name="present"/>; 0 when there is
    /// none.
    /// </summary>
    /// <param name="of">Members whose secrets have to be reconstructed.</param>
    /// <param name="present">Members that can still give shares. A member of whom the key is needed gives none itself.</param>
    public int FirstBelowThreshold(MemberSet of, MemberSet present)
    {
        // In a complete group everyone's holders are everyone.
        if (Topology.IsComplete && present.Count < Topology.Threshold)
        {
            return of.FirstOrDefault();
        }

        return Topology.IsComplete ? 0 : of.FirstOrDefault(member => Topology.HoldersOf(member).Count(present.Contains) < Topology.Threshold);
    }
}
