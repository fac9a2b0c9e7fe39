using System.Globalization;
using Federated.Simulator.Runs;

namespace Federated.Simulator.Reports;

/// <summary>Numbers as people read them, always with their unit.</summary>
internal static class Wording
{
    /// <summary>For example <c>97.04 %</c>; a dash when there is none.</summary>
    public static string Percent(double? share) => share is { } value ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.00} %") : "–";

    /// <summary>For example <c>797 kB</c>, decimal units.</summary>
    public static string Bytes(double bytes) => bytes switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes:0} B"),
    };

    /// <summary>Where a run's server is, and on one that others may use also which population the run's is.</summary>
    public static string ServerOf(RunHeadline headline) => headline.Embedded
        ? $"in this process, dashboard and API {headline.Api}"
        : $"attached, dashboard and API {headline.Api}, population {headline.Population}";

    /// <summary>For example <c>42.3 s</c>, <c>3 min 05 s</c>, <c>2 h 10 min</c>.</summary>
    public static string Time(TimeSpan time) => time.TotalSeconds switch
    {
        >= 3600 => $"{(int)time.TotalHours} h {time.Minutes:00} min",
        >= 60 => $"{(int)time.TotalMinutes} min {time.Seconds:00} s",
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
    };
}
