using Federated.Server.Collection;
using Federated.Server.Grains;
using Federated.Server.Identity;

namespace Federated.Server.Api;

/// <summary>A device as lists show it: one that is enrolled, or that checked in since the server started.</summary>
public sealed record DeviceSummary
{
    /// <summary>Its name.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Its population; empty when it may choose and has not checked in.</summary>
    public string Population { get; init; } = "";

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Version of its client; empty when it has not checked in since the server started.</summary>
    public string ClientVersion { get; init; } = "";

    /// <summary>Its engine; empty when it has not checked in since the server started.</summary>
    public string Engine { get; init; } = "";

    /// <summary>What it does now.</summary>
    public DevicePresence Presence { get; init; } = DevicePresence.Absent;

    /// <summary>Its last check-in or the answer to it; null when it has not checked in since the server started.</summary>
    public DateTimeOffset? LastCall { get; init; }

    /// <summary>Its enrollment; null where devices connect in clear text.</summary>
    public DeviceEnrollment? Enrollment { get; init; }
}

/// <summary>Everything that is known of a device.</summary>
/// <param name="Device">As lists show it.</param>
/// <param name="Record">Participation, history and last errors; null when it has never checked in.</param>
public sealed record DeviceDetail(DeviceSummary Device, DeviceRecord? Record)
{
    /// <summary>Calls that concern it and were refused for the identity of who made them, since the server started, newest first.</summary>
    public IReadOnlyList<RefusedCall> Refused { get; init; } = [];
}

/// <summary>Brings together who is enrolled and who has checked in.</summary>
internal static class DeviceListing
{
    /// <summary>Every device in ordinal order.</summary>
    public static IReadOnlyList<DeviceSummary> Of(IEnumerable<DeviceSighting> sightings, IEnumerable<DeviceEnrollment> enrollments)
    {
        SortedDictionary<string, DeviceSummary> devices = new(StringComparer.Ordinal);
        foreach (DeviceEnrollment enrollment in enrollments)
        {
            devices[enrollment.DeviceId] = Of(null, enrollment)!;
        }

        foreach (DeviceSighting sighting in sightings)
        {
            string id = sighting.Profile.DeviceId;
            devices[id] = Of(sighting, devices.TryGetValue(id, out DeviceSummary? enrolled) ? enrolled.Enrollment : null)!;
        }

        return [.. devices.Values];
    }

    /// <summary>One device; null when it is neither enrolled nor has it checked in.</summary>
    public static DeviceSummary? Of(DeviceSighting? sighting, DeviceEnrollment? enrollment) => sighting is null && enrollment is null
        ? null
        : new DeviceSummary
        {
            DeviceId = sighting?.Profile.DeviceId ?? enrollment!.DeviceId,
            Population = sighting?.Population ?? enrollment!.Population,
            Labels = sighting?.Profile.Labels ?? enrollment!.Labels,
            ClientVersion = sighting?.Profile.ClientVersion ?? "",
            Engine = sighting?.Profile.Engine ?? "",
            Presence = sighting?.Presence ?? DevicePresence.Absent,
            LastCall = sighting?.LastCall,
            Enrollment = enrollment,
        };
}
