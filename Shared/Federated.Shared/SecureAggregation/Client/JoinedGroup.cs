namespace Federated.Shared.SecureAggregation.Client;

/// <summary>What a client has verified once it knows its session. Nothing here is secret but the input.</summary>
/// <param name="Terms">The client's terms.</param>
/// <param name="Input">Its input.</param>
/// <param name="Header">The group's header.</param>
/// <param name="Members">U1; the member with number u is at [u − 1].</param>
/// <param name="Neighbours">Verified keys of the neighbours, by number.</param>
/// <param name="Own">The client's number.</param>
/// <param name="Id">The session.</param>
/// <param name="Topology">Neighbours and threshold.</param>
internal sealed record JoinedGroup(
    ClientTerms Terms,
    ClientInput Input,
    GroupHeader Header,
    GroupMember[] Members,
    IReadOnlyDictionary<int, NeighbourKeys> Neighbours,
    int Own,
    SessionId Id,
    GroupTopology Topology);
