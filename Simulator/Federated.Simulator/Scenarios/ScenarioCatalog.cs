using System.Reflection;
using Federated.Server.Jobs;

namespace Federated.Simulator.Scenarios;

/// <summary>Finds scenarios: those built in by name, others by file.</summary>
internal static class ScenarioCatalog
{
    /// <summary>What runs when nothing is asked for.</summary>
    public const string DefaultName = "mnist-2nn-secure";

    private const string Prefix = "scenarios/";
    private const string Suffix = ".json";

    private static readonly Assembly _assembly = typeof(ScenarioCatalog).Assembly;

    /// <summary>Names of the scenarios built in, the default first.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. _assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Suffix.Length])
            .OrderBy(name => name != DefaultName)
            .ThenBy(name => name, StringComparer.Ordinal),
    ];

    /// <summary>Reads a scenario's text.</summary>
    /// <param name="nameOrFile">A name of <see cref="Names"/> or the path of a file.</param>
    /// <returns>The text, and the folder its relative paths start from.</returns>
    /// <exception cref="InvalidSettingsException">There is neither.</exception>
    public static (string Json, string Folder) Find(string nameOrFile)
    {
        using Stream? builtIn = _assembly.GetManifestResourceStream(Prefix + nameOrFile + Suffix);
        if (builtIn is not null)
        {
            using StreamReader reader = new(builtIn);
            return (reader.ReadToEnd(), Path.Combine(AppContext.BaseDirectory, "Data", "mnist"));
        }

        if (!File.Exists(nameOrFile))
        {
            string nearest = NearestName.Find(nameOrFile, Names) is { } name ? $"; did you mean {name}?" : "";
            throw new InvalidSettingsException(
                [new SettingProblem("--scenario", nameOrFile, $"{string.Join(", ", Names)}, or the path of a scenario file{nearest}")]);
        }

        return (File.ReadAllText(nameOrFile), Path.GetDirectoryName(Path.GetFullPath(nameOrFile))!);
    }

    /// <summary>Reads a scenario built in, without overrides.</summary>
    public static Scenario Read(string name) => ScenarioReader.Read(Find(name).Json, []).Scenario;
}
