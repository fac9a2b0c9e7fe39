using System.Collections.Concurrent;
using Federated.Server.Api;
using Federated.Server.Collection;

namespace Federated.Server.Dashboard;

/// <summary>The fleet at one instant. All viewers look at the same one, so that what it takes to count and to map ten thousand devices is not done for each of them. Thread-safe.</summary>
/// <param name="counts">How many devices do what.</param>
/// <param name="devices">The devices, in the order in which lists and maps show them.</param>
internal sealed class FleetSnapshot(FleetCounts counts, IReadOnlyList<DeviceSummary> devices)
{
    private readonly ConcurrentDictionary<string, FleetMap> _maps = new(StringComparer.Ordinal);

    /// <summary>Nothing is known.</summary>
    public static FleetSnapshot Empty { get; } = new(new FleetCounts(0, 0, 0, 0, 0, 0), []);

    /// <summary>How many devices do what.</summary>
    public FleetCounts Counts => counts;

    /// <summary>The devices, in the order in which lists and maps show them.</summary>
    public IReadOnlyList<DeviceSummary> Devices => devices;

    /// <summary>What the fleet can be mapped by; see <see cref="FleetMap.LabelsOf"/>.</summary>
    public IReadOnlyList<string> Labels { get; } = FleetMap.LabelsOf(devices);

    /// <summary>Versions of the client and how many devices have them, the most used first.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Versions { get; } =
    [
        .. devices.CountBy(device => device.ClientVersion.Length > 0 ? device.ClientVersion : "not seen since the start", StringComparer.Ordinal)
            .OrderByDescending(version => version.Value),
    ];

    /// <summary>The map by a label; by the first of <see cref="Labels"/> when the fleet does not have it.</summary>
    public FleetMap MapBy(string? label) =>
        _maps.GetOrAdd(label is not null && Labels.Contains(label) ? label : Labels[0], static (by, all) => FleetMap.Of(all, by), devices);
}
