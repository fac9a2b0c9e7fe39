using Federated.Shared.Protos;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>What a message leads to.</summary>
/// <param name="Next">The state after it.</param>
/// <param name="Answer">What goes to the server.</param>
internal readonly record struct ClientTransition(ClientState Next, GroupClientMessage Answer);
