using Federated.Shared.Models;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>
/// Who a client is and what it agrees to. The bounds are the device's own: a header that goes beyond them is refused, whoever signed it.
/// </summary>
public sealed record ClientTerms
{
    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The device's enrolled key.</summary>
    public required DeviceSigningKey SigningKey { get; init; }

    /// <summary>Everyone who may be in the group.</summary>
    public required IEnrolledDevices Devices { get; init; }

    /// <summary>The key headers are signed with.</summary>
    public required DeviceVerifyingKey ServerKey { get; init; }

    /// <summary>The job of the plan.</summary>
    public required string JobId { get; init; }

    /// <summary>The round of the plan.</summary>
    public required long Round { get; init; }

    /// <summary>The aggregation group of the plan.</summary>
    public required int Group { get; init; }

    /// <summary>Hash of the plan that the device was given.</summary>
    public required ContentHash Plan { get; init; }

    /// <summary>Least members the device accepts in a group; a sum over fewer would say too much about it.</summary>
    public int MinMembers { get; init; } = 3;

    /// <summary>Most members the device can serve.</summary>
    public int MaxMembers { get; init; } = 1_000;

    /// <summary>Whether a neighbour graph is accepted, which assumes a server that follows the protocol.</summary>
    public bool AcceptsNeighbourGraph { get; init; }

    /// <summary>Least γ of a neighbour graph, in thousandths.</summary>
    public int MinAdversarialPermille { get; init; } = 200;
}
