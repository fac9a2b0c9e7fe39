using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Simulator.Bench.Groups;

/// <summary>The encoded bytes of one member, each message with the prefix that gRPC gives it.</summary>
internal sealed class GroupTraffic
{
    /// <summary>Sent, without the masked fields.</summary>
    public long Up { get; private set; }

    /// <summary>Received.</summary>
    public long Down { get; private set; }

    /// <summary>The masked fields.</summary>
    public long Payload { get; private set; }

    /// <summary>Counts a message to the server.</summary>
    public void Add(GroupClientMessage message)
    {
        long fields = message.Input?.Fields.Length ?? 0;
        Payload += fields;
        Up += message.CalculateSize() + ProtocolLimits.MessagePrefixBytes - fields;
    }

    /// <summary>Counts a message from the server.</summary>
    public void Add(GroupServerMessage message) => Down += message.CalculateSize() + ProtocolLimits.MessagePrefixBytes;
}
