using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Federated.EndToEnd.Tests.Telemetry;

/// <summary>Judges a scrape of metrics by the rules of Prometheus: by its own linter where that is at hand, and by the rules for names, units and help written out here.</summary>
internal static partial class MetricsLint
{
    private static readonly string[] _baseUnits = ["seconds", "bytes", "ratio"];
    private static readonly string[] _otherUnits = ["milliseconds", "ms", "minutes", "hours", "kilobytes", "megabytes", "kb", "mb", "percent"];

    /// <summary>Where promtool is; null when it is nowhere.</summary>
    public static string? Promtool { get; } = FindPromtool();

    /// <summary>What is wrong; empty when nothing is.</summary>
    public static List<string> Problems(string scrape)
    {
        List<string> problems = [];
        HashSet<string> helped = [.. Help().Matches(scrape).Where(match => match.Groups[2].Value.Trim().Length > 0).Select(match => match.Groups[1].Value)];
        Dictionary<string, string> types = Type().Matches(scrape).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.Ordinal);
        foreach ((string name, string type) in types)
        {
            string[] words = name.Split('_');
            Check(helped.Contains(name), $"{name} has no help");
            Check(NameForm().IsMatch(name), $"{name} is not in snake case");
            Check(type == "counter" == name.EndsWith("_total", StringComparison.Ordinal), $"{name} is a {type}: counters, and they alone, end in _total");
            Check(!_otherUnits.Any(words.Contains), $"{name} has a unit that is no base unit");
            foreach (string unit in _baseUnits.Where(words.Contains))
            {
                Check(name.EndsWith(unit, StringComparison.Ordinal) || name.EndsWith(unit + "_total", StringComparison.Ordinal), $"{name} has its unit {unit} in the middle");
            }

            Check(type == "histogram" || !(words[^1] is "count" or "sum" or "bucket"), $"{name} is a {type} and ends like a part of a histogram");
            Check(!words.Contains(type), $"{name} has its type in its name");
        }

        foreach (Match sample in Sample().Matches(scrape))
        {
            string name = sample.Groups[1].Value;
            Check(types.ContainsKey(name) || types.ContainsKey(HistogramPart().Replace(name, "")), $"{name} has no type");
        }

        return problems;

        void Check(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }
    }

    /// <summary>What promtool says of the scrape; empty when it is content.</summary>
    public static async Task<string> AskPromtoolAsync(string promtool, string scrape, CancellationToken ct)
    {
        ProcessStartInfo start = new(promtool, ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(scrape.AsMemory(), ct);
        process.StandardInput.Close();
        string said = await process.StandardError.ReadToEndAsync(ct) + await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return process.ExitCode == 0 ? said : $"{said} (exit code {process.ExitCode})";
    }

    private static string? FindPromtool()
    {
        List<string> folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)];
        for (DirectoryInfo? up = new(AppContext.BaseDirectory); up is not null; up = up.Parent)
        {
            folders.Add(Path.Combine(up.FullName, "tests", "tools", "promtool", "usr", "bin"));
        }

        return folders.Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists);
    }

    [GeneratedRegex(@"^# HELP (\S+) (.*)$", RegexOptions.Multiline)]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE (\S+) (\S+)\r?$", RegexOptions.Multiline)]
    private static partial Regex Type();

    [GeneratedRegex(@"^([a-zA-Z_:][a-zA-Z0-9_:]*)[{ ]", RegexOptions.Multiline)]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex NameForm();
}
