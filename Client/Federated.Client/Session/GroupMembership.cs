using Federated.Shared.SecureAggregation;

namespace Federated.Client.Session;

/// <summary>
/// What a device has from its enrollment, without which it takes part in no round under secure aggregation. Nothing of it comes from the
/// server of a round: otherwise that server could make up the other members of a group. Immutable; may be shared by sessions but for the
/// signing key.
/// </summary>
public sealed record GroupMembership
{
    /// <summary>The device's own key; stays the caller's.</summary>
    public required DeviceSigningKey SigningKey { get; init; }

    /// <summary>The keys of all devices that may be in a group; stays the caller's.</summary>
    public required IEnrolledDevices Devices { get; init; }

    /// <summary>The key that group headers are signed with; stays the caller's.</summary>
    public required DeviceVerifyingKey ServerKey { get; init; }

    /// <summary>Least members of a group that the device accepts, whatever the server says. 3 by default.</summary>
    public int MinMembers { get; init; } = 3;

    /// <summary>Most members that the device can serve. 1,000 by default.</summary>
    public int MaxMembers { get; init; } = 1_000;
}
