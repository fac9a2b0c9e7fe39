using Federated.Server.Api;

namespace Federated.Server.Dashboard;

/// <summary>What the map shows of a device.</summary>
public enum FleetState
{
    /// <summary>In an open round.</summary>
    Training,

    /// <summary>Connected: its check-in is held until it is selected.</summary>
    Waiting,

    /// <summary>Comes back by itself.</summary>
    Resting,

    /// <summary>Silent for long.</summary>
    Absent,

    /// <summary>Its calls are refused.</summary>
    Revoked,
}

/// <summary>Names of states, and of what a device is in.</summary>
internal static class FleetStates
{
    /// <summary>All states, as maps and legends order them.</summary>
    public static IReadOnlyList<FleetState> All { get; } = Enum.GetValues<FleetState>();

    /// <summary>The state of a device.</summary>
    public static FleetState Of(DeviceSummary device) => device.Enrollment?.RevokedAt is not null ? FleetState.Revoked : device.Presence switch
    {
        Collection.DevicePresence.Training => FleetState.Training,
        Collection.DevicePresence.Waiting => FleetState.Waiting,
        Collection.DevicePresence.Resting => FleetState.Resting,
        _ => FleetState.Absent,
    };
}

/// <summary>A mark of the map: one device, or several of one state.</summary>
/// <param name="State">What it does.</param>
/// <param name="DeviceId">The device; null when the mark stands for several.</param>
public readonly record struct FleetMark(FleetState State, string? DeviceId);

/// <summary>The devices that share a value.</summary>
/// <param name="Value">The value; null for devices without the label, or for the rest of the values.</param>
/// <param name="Name">Its heading.</param>
/// <param name="Counts">Devices by state, in the order of <see cref="FleetStates.All"/>.</param>
/// <param name="Marks">The marks; none for the rest of the values.</param>
/// <param name="IsRest">Whether the block stands for the values that have none of their own.</param>
public sealed record FleetBlock(string? Value, string Name, IReadOnlyList<int> Counts, IReadOnlyList<FleetMark> Marks, bool IsRest = false)
{
    /// <summary>Devices.</summary>
    public int Count => Counts.Sum();
}

/// <summary>
/// The fleet by the values of a label, bounded however large it is: at most <see cref="MaxBlocks"/> blocks, and about <see cref="MaxMarks"/> marks, each of which stands for more
/// devices as the fleet grows. Pure.
/// </summary>
/// <param name="By">The label; empty for the population.</param>
/// <param name="DevicesAMark">Devices that a mark stands for.</param>
/// <param name="Blocks">The blocks, the largest first; those without the label and the rest last.</param>
public sealed record FleetMap(string By, int DevicesAMark, IReadOnlyList<FleetBlock> Blocks)
{
    /// <summary>Most blocks with marks.</summary>
    public const int MaxBlocks = 24;

    /// <summary>Most marks, but for the last one of each block and state, which may stand for fewer devices than the others.</summary>
    public const int MaxMarks = 1000;

    /// <summary>The labels of the fleet, the most used first; of two used alike the one with fewer values. The population, which every device has, comes last, as the empty text.</summary>
    public static IReadOnlyList<string> LabelsOf(IEnumerable<DeviceSummary> devices) =>
    [
        .. devices.SelectMany(device => device.Labels)
            .GroupBy(label => label.Key, label => label.Value, StringComparer.Ordinal)
            .OrderByDescending(values => values.Count())
            .ThenBy(values => values.Distinct(StringComparer.Ordinal).Count())
            .ThenBy(values => values.Key, StringComparer.Ordinal)
            .Select(values => values.Key),
        "",
    ];

    /// <summary>A device's value; null when it has none, or an empty one.</summary>
    public static string? ValueOf(DeviceSummary device, string by)
    {
        string value = by.Length == 0 ? device.Population : device.Labels.GetValueOrDefault(by, "");
        return value.Length > 0 ? value : null;
    }

    /// <summary>Maps the fleet.</summary>
    /// <param name="devices">The devices in the order in which their marks stand.</param>
    /// <param name="by">The label; empty for the population.</param>
    public static FleetMap Of(IReadOnlyCollection<DeviceSummary> devices, string by)
    {
        int each = Math.Max(1, (int)Math.Ceiling(devices.Count / (double)MaxMarks));
        List<DeviceSummary> without = [];
        Dictionary<string, List<DeviceSummary>> groups = new(StringComparer.Ordinal);
        foreach (DeviceSummary device in devices)
        {
            if (ValueOf(device, by) is not { } value)
            {
                without.Add(device);
            }
            else if (groups.TryGetValue(value, out List<DeviceSummary>? group))
            {
                group.Add(device);
            }
            else
            {
                groups[value] = [device];
            }
        }

        KeyValuePair<string, List<DeviceSummary>>[] ordered = [.. groups.OrderByDescending(group => group.Value.Count).ThenBy(group => group.Key, StringComparer.Ordinal)];
        List<FleetBlock> blocks = [.. ordered.Take(MaxBlocks).Select(group => Block(group.Key, group.Key, group.Value, each))];
        if (ordered.Length > MaxBlocks)
        {
            DeviceSummary[] rest = [.. ordered.Skip(MaxBlocks).SelectMany(group => group.Value)];
            blocks.Add(new FleetBlock(null, $"{Units.Count(ordered.Length - MaxBlocks)} more values", CountsOf(rest), [], IsRest: true));
        }

        if (without.Count > 0)
        {
            blocks.Add(Block(null, $"without {(by.Length > 0 ? by : "population")}", without, each));
        }

        return new FleetMap(by, each, blocks);
    }

    private static FleetBlock Block(string? value, string name, List<DeviceSummary> devices, int each)
    {
        int[] counts = CountsOf(devices);
        FleetMark[] marks = each == 1
            ? [.. devices.Select(device => new FleetMark(FleetStates.Of(device), device.DeviceId))]
            : [.. FleetStates.All.SelectMany(state => Enumerable.Repeat(new FleetMark(state, null), (counts[(int)state] + each - 1) / each))];
        return new FleetBlock(value, name, counts, marks);
    }

    private static int[] CountsOf(IReadOnlyCollection<DeviceSummary> devices)
    {
        int[] counts = new int[FleetStates.All.Count];
        foreach (DeviceSummary device in devices)
        {
            counts[(int)FleetStates.Of(device)]++;
        }

        return counts;
    }
}
