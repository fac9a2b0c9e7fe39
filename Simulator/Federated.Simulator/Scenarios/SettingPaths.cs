using System.Text.Json.Serialization.Metadata;
using Federated.Server.Jobs;

namespace Federated.Simulator.Scenarios;

/// <summary>Every dotted path of a scenario, so that an override may name a setting by its end.</summary>
internal static class SettingPaths
{
    private static readonly Lazy<IReadOnlyList<string>> _all = new(() => [.. Walk(typeof(Scenario), "")]);

    /// <summary>All paths, parents before children.</summary>
    public static IReadOnlyList<string> All => _all.Value;

    /// <summary>
    /// Completes <c>goal=5</c> to <c>job.cohort.goal=5</c>; of several settings with that end the one nearest to the top is meant. A key that
    /// begins with a key of the scenario itself is taken as it stands. Numbers at the end name elements of an array.
    /// </summary>
    /// <exception cref="InvalidSettingsException">There is no =, no such setting, or more than one.</exception>
    public static string Complete(string assignment)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw Refuse(assignment, "the override", "key=value, for example goal=5 or job.training.learningRate=0.05");
        }

        string key = assignment[..equals].Trim();
        string[] segments = key.Split('.');
        int named = segments.Length;
        while (named > 1 && segments[named - 1].All(char.IsAsciiDigit))
        {
            named--;
        }

        string name = string.Join('.', segments.Take(named));
        if (All.Contains(segments[0], StringComparer.Ordinal))
        {
            return assignment;
        }

        // A setting that lies deeper, of one model or one rule, does not make a key of all jobs ambiguous.
        string[] matches =
        [
            .. All.Where(path => path.EndsWith("." + name, StringComparison.Ordinal))
                .GroupBy(path => path.Count(c => c == '.')).OrderBy(depth => depth.Key).FirstOrDefault() ?? Enumerable.Empty<string>(),
        ];
        return matches.Length switch
        {
            1 => matches[0] + assignment[name.Length..].TrimStart(),
            0 => throw Refuse(key, "an unknown setting", $"a dotted path of the scenario or its end{Nearest(name)}; 'schema scenario' lists them"),
            _ => throw Refuse(key, "more than one setting", string.Join(" or ", matches)),
        };
    }

    private static string Nearest(string name)
    {
        string last = name[(name.LastIndexOf('.') + 1)..];
        string? nearest = NearestName.Find(last, All.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct());
        return nearest is null ? "" : $" (did you mean {nearest}?)";
    }

    private static IEnumerable<string> Walk(Type type, string prefix)
    {
        JsonTypeInfo info = StrictJson.Options.GetTypeInfo(Nullable.GetUnderlyingType(type) ?? type);
        if (info.Kind != JsonTypeInfoKind.Object)
        {
            yield break;
        }

        foreach (JsonPropertyInfo property in info.Properties.Where(property => property.Set is not null))
        {
            string path = SettingProblem.At(prefix, property.Name);
            yield return path;
            foreach (string child in Walk(property.PropertyType, path))
            {
                yield return child;
            }
        }
    }

    private static InvalidSettingsException Refuse(string path, string value, string allowed) => new([new SettingProblem(path, value, allowed)]);
}
