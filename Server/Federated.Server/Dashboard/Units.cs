using System.Globalization;
using Federated.Server.Rounds;

namespace Federated.Server.Dashboard;

/// <summary>Writes numbers for people, each with its unit.</summary>
internal static class Units
{
    /// <summary>What stands where there is no figure.</summary>
    public const string None = "–";

    private static readonly string[] _bytes = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>Bytes, in powers of 1,000.</summary>
    public static string Bytes(double? bytes)
    {
        if (bytes is not { } value)
        {
            return None;
        }

        int step = 0;
        while (Math.Abs(value) >= 999.5 && step < _bytes.Length - 1)
        {
            value /= 1000;
            step++;
        }

        return step == 0 ? $"{value:0} B" : $"{Significant(value)} {_bytes[step]}";
    }

    /// <summary>A duration.</summary>
    public static string Seconds(double? seconds) => seconds switch
    {
        null => None,
        < 0.0005 and > -0.0005 => "0 s",
        { } s when Math.Abs(s) < 1 => $"{Significant(s * 1000)} ms",
        { } s when Math.Abs(s) < 120 => $"{Significant(s)} s",
        { } s when Math.Abs(s) < 7200 => $"{(int)(s / 60)} min {Math.Abs((int)(s % 60)):00} s",
        { } s => $"{Significant(s / 3600)} h",
    };

    /// <summary>A share of 1.</summary>
    public static string Percent(double? share) => share is { } value ? $"{100 * value:0.0} %" : None;

    /// <summary>The score of an evaluation.</summary>
    public static string Score(TaskScore score, CentralEvaluation? evaluation) => score.IsShare ? Percent(score.Of(evaluation)) : Number(score.Of(evaluation));

    /// <summary>The score of an evaluation with its name, where there are several tasks.</summary>
    public static string NamedScore(CentralEvaluation? evaluation) => evaluation is null ? None : $"{TaskScore.In(evaluation).Name} {Score(TaskScore.In(evaluation), evaluation)}";

    /// <summary>A whole number.</summary>
    public static string Count(long? count) => count?.ToString("N0", CultureInfo.InvariantCulture) ?? None;

    /// <summary>A loss or a norm.</summary>
    public static string Number(double? value) => value is { } number && double.IsFinite(number)
        ? number.ToString(Math.Abs(number) is >= 1e-3 and < 1e5 or 0 ? "0.0000" : "0.##e0", CultureInfo.InvariantCulture)
        : None;

    /// <summary>Energy.</summary>
    public static string Joules(double? joules) => joules switch
    {
        null => None,
        >= 1e6 => $"{Significant(joules.Value / 3.6e6)} kWh",
        >= 1000 => $"{Significant(joules.Value / 1000)} kJ",
        _ => $"{Significant(joules.Value)} J",
    };

    /// <summary>What was sent against what would have been sent without any saving.</summary>
    public static string Saving(double dense, double sent) => (dense / sent) switch
    {
        _ when dense <= 0 || sent <= 0 => "",
        < 0.95 and double times => $"{Significant(1 / times)}× as much as dense float32",
        < 1.05 => "as much as dense float32",
        double times => $"{Significant(times)}× less than dense float32",
    };

    /// <summary>How long ago, roughly.</summary>
    public static string Ago(DateTimeOffset? then, DateTimeOffset now) => then is not { } at
        ? None
        : (now - at).TotalSeconds switch
        {
            < 5 => "just now",
            < 120 and double s => $"{s:0} s ago",
            < 7200 and double s => $"{s / 60:0} min ago",
            < 172_800 and double s => $"{s / 3600:0} h ago",
            double s => $"{s / 86_400:0} days ago",
        };

    /// <summary>An instant.</summary>
    public static string Instant(DateTimeOffset? instant) => instant?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture) ?? None;

    /// <summary>A number as an attribute of SVG takes it, as a share of the width.</summary>
    public static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * Math.Clamp(double.IsFinite(share) ? share : 0, 0, 1):0.###}%");

    private static string Significant(double value) => Math.Abs(value) switch
    {
        >= 99.95 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 9.995 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
