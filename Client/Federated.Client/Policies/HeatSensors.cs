using System.Globalization;

namespace Federated.Client.Policies;

/// <summary>Temperatures, and whether the system slows its processor down.</summary>
internal sealed class HeatSensors(SystemFiles files)
{
    private const string Folder = "sys/class/thermal";

    // Raspberry Pi's firmware: what holds now. The bits from 16 on say what has held since the start.
    private static readonly (int Bit, string What)[] _firmware =
        [(0, "too low a voltage"), (1, "frequency capped"), (2, "throttled"), (3, "soft limit of temperature")];

    private static readonly string[] _firmwareFiles =
        ["sys/devices/platform/soc/soc:firmware/get_throttled", "sys/devices/platform/axi/axi:firmware/get_throttled"];

    /// <summary>The hottest of the sensors that can be believed, in °C.</summary>
    public double? Celsius()
    {
        double? hottest = null;
        foreach (string name in files.Names(Folder))
        {
            // Jetson's PMIC zone is a constant of 50 or 100 °C.
            if (name.StartsWith("thermal_zone", StringComparison.Ordinal)
                && files.Text($"{Folder}/{name}/type")?.Contains("PMIC", StringComparison.OrdinalIgnoreCase) != true
                && files.Number($"{Folder}/{name}/temp") is { } milli and > -40_000 and < 150_000)
            {
                hottest = Math.Max(hottest ?? double.MinValue, milli / 1000.0);
            }
        }

        return hottest;
    }

    /// <summary>Why the processor is slowed down; empty when it is not, null when nothing tells.</summary>
    public string? Throttling()
    {
        string? why = null;
        foreach (string path in _firmwareFiles)
        {
            if (Bits(files.Text(path)) is { } bits)
            {
                why = string.Join(", ", _firmware.Where(flag => (bits >> flag.Bit & 1) != 0).Select(flag => flag.What));
            }
        }

        foreach (string name in files.Names(Folder))
        {
            if (name.StartsWith("cooling_device", StringComparison.Ordinal)
                && files.Text($"{Folder}/{name}/type") is { } type && IsProcessor(type)
                && files.Number($"{Folder}/{name}/cur_state") is { } state)
            {
                why ??= "";
                if (state > 0)
                {
                    why = why.Length == 0 ? type : $"{why}, {type}";
                }
            }
        }

        return why;
    }

    // Fans are cooling devices as well.
    private static bool IsProcessor(string type) => type.Contains("cpufreq", StringComparison.OrdinalIgnoreCase)
        || type.StartsWith("cpu-throttle", StringComparison.OrdinalIgnoreCase)
        || type.StartsWith("Processor", StringComparison.Ordinal);

    private static long? Bits(string? text) => text is not null
        && long.TryParse(text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long bits)
        ? bits
        : null;
}
