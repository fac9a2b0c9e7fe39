using System.Globalization;

namespace Federated.Client.Policies;

/// <summary>Reads a Linux device: what every kernel tells, and what Raspberry Pi and Jetson tell besides. Thread-safe.</summary>
/// <param name="root">Root of the file system.</param>
/// <param name="freeDiskBytes">Room on the disk that counts; null when it cannot be told.</param>
internal sealed class DeviceSensors(string root, Func<long?> freeDiskBytes)
{
    private readonly SystemFiles _files = new(root);

    /// <summary>One reading.</summary>
    public DeviceReading Read()
    {
        (bool? onMains, double? percent) = new PowerSupplies(_files).Read();
        HeatSensors heat = new(_files);
        string? route = DefaultInterface();
        return new DeviceReading
        {
            OnMains = onMains,
            BatteryPercent = percent,
            Celsius = heat.Celsius(),
            Throttling = heat.Throttling(),
            Watts = new JetsonPower(_files).Watts(),
            FreeMemoryBytes = FreeMemory(),
            FreeDiskBytes = freeDiskBytes(),
            Interface = route,
            LinkMegabits = route is { Length: > 0 } && _files.Number($"sys/class/net/{route}/speed") is { } speed and > 0 and <= 10_000_000 ? (int)speed : null,
        };
    }

    /// <summary>What the kernel could give, and no more than the control group still allows.</summary>
    private long? FreeMemory()
    {
        long? free = null;
        foreach (string line in (_files.Text("proc/meminfo") ?? "").Split('\n'))
        {
            if (line.StartsWith("MemAvailable:", StringComparison.Ordinal)
                && long.TryParse(line["MemAvailable:".Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes))
            {
                free = kibibytes << 10;
            }
        }

        string group = ControlGroup();
        return _files.Number($"{group}/memory.max") is { } limit && _files.Number($"{group}/memory.current") is { } used
            ? Math.Min(free ?? long.MaxValue, Math.Max(0, limit - Math.Max(0, used - FileCache(group))))
            : free;
    }

    /// <summary>What of a control group's memory is copies of files, which the kernel gives back as soon as it is wanted.</summary>
    private long FileCache(string group)
    {
        long bytes = 0;
        foreach (string line in (_files.Text($"{group}/memory.stat") ?? "").Split('\n'))
        {
            string[] parts = line.Split(' ');
            if (parts is ["inactive_file" or "active_file", string count] && long.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out long found))
            {
                bytes += found;
            }
        }

        return bytes;
    }

    // Version 2 of control groups: one line "0::/path".
    private string ControlGroup()
    {
        string line = (_files.Text("proc/self/cgroup") ?? "").Split('\n')[^1];
        return line.StartsWith("0::/", StringComparison.Ordinal) ? $"sys/fs/cgroup/{line[4..]}".TrimEnd('/') : "sys/fs/cgroup";
    }

    /// <summary>Interface of the default route with the least metric; empty without one, null when the table cannot be read.</summary>
    private string? DefaultInterface()
    {
        if (_files.Text("proc/net/route") is not { } table)
        {
            return null;
        }

        string best = "";
        long bestMetric = long.MaxValue;
        foreach (string line in table.Split('\n').Skip(1))
        {
            string[] fields = line.Split('\t', StringSplitOptions.TrimEntries);
            if (fields.Length > 7 && fields[1] == "00000000" && fields[7] == "00000000"
                && long.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out long metric) && metric < bestMetric)
            {
                (best, bestMetric) = (fields[0], metric);
            }
        }

        // It becomes part of a path.
        return best.Contains('/', StringComparison.Ordinal) || best.StartsWith('.') ? "" : best;
    }
}
