using Federated.Shared.Protos;

namespace Federated.Server.SecureAggregation;

/// <summary>What closing a step leads to.</summary>
/// <param name="Next">The state after it.</param>
/// <param name="Messages">What goes to which device.</param>
internal readonly record struct ServerTransition(ServerState Next, IReadOnlyDictionary<string, GroupServerMessage> Messages)
{
    private static readonly Dictionary<string, GroupServerMessage> _none = [];

    /// <summary>A transition that tells nobody anything.</summary>
    public static ServerTransition Silent(ServerState next) => new(next, _none);

    /// <summary>The end without a sum.</summary>
    public static ServerTransition Abandon(string reason) => Silent(new AbandonedState(reason));
}
