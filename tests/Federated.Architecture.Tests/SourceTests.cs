using System.Text.RegularExpressions;
using Federated.Testing;

namespace Federated.Architecture.Tests;

/// <summary>What holds of the text of every source file.</summary>
public sealed partial class SourceTests
{
    private static readonly string _root = RepositoryRoot.Find();

    private static readonly string[] _everything = [.. new[] { "Client", "Server", "Shared", "Simulator", "tests", "tools" }.SelectMany(Sources)];

    private static readonly string[] _product = [.. _everything.Where(file => !file.StartsWith("tests/", StringComparison.Ordinal))];

    // Each program has a command of this name, and neither knows the other's.
    private static readonly string[] _sharedNames = ["RunCommand"];

    // Programs choose the clock: in their commands, and while they measure real time.
    private static readonly string[] _programs = ["Cli", "CommandLine", "Bench"];

    // Defaults of what hosts set, and the one clock that gRPC compares deadlines with.
    private static readonly string[] _namesTheSystemClock =
    [
        "Client/Federated.Client/Transport/CallDeadline.cs",
        "Client/Federated.Client/Transport/GrpcLinkOptions.cs",
        "Client/Federated.Client/Transport/ModelCacheOptions.cs",
        "Server/Federated.Server/Api/ServerApiClient.cs",
        "Server/Federated.Server/Hosting/ServerOptions.cs",
        "Server/Federated.Server/Storage/StorageRegistration.cs",
    ];

    [Fact]
    public void Types_OfTheProduct_HaveNamesOfTheirOwn()
    {
        (string Name, string Space)[] types =
        [
            .. _product.Select(Read).SelectMany(text => TypeName().Matches(text).Select(match => (match.Groups[1].Value, Namespace().Match(text).Groups[1].Value))).Distinct(),
        ];
        Assert.True(types.Length > 500, $"{types.Length} types were found.");
        IEnumerable<string> shared = types.GroupBy(type => type.Name).Where(same => same.Count() > 1 && !_sharedNames.Contains(same.Key))
            .Select(same => $"{same.Key} is in {string.Join(" and ", same.Select(type => type.Space))}");
        Assert.Empty(shared);
    }

    [Fact]
    public void SystemClock_IsNamedOnlyWhereItIsChosen() => Assert.Equal(
        _namesTheSystemClock,
        _product.Where(file => Read(file).Contains("TimeProvider.System", StringComparison.Ordinal) && !file.Split('/').Any(_programs.Contains)).Order(StringComparer.Ordinal));

    [Fact]
    public void Lines_AreNoLongerThanTheEditorIsTold()
    {
        int most = int.Parse(MostCharacters().Match(Read(".editorconfig")).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);

        // What stands in quotation marks does not count: a message stays in one piece, so that it can be searched for.
        IEnumerable<string> longer = _everything.SelectMany(
            file => Read(file).Split('\n').Index().Where(line => Quoted().Replace(line.Item, "").Length > most).Select(line => $"{file}:{line.Index + 1}"));
        Assert.Empty(longer);
    }

    /// <summary>Source files below a folder of the repository, relative to it; what a build wrote is none.</summary>
    private static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(Path.Combine(_root, folder), "*.cs", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(_root, file).Replace('\\', '/'))
        .Where(file => !file.Split('/').Any(part => part is "bin" or "obj"));

    private static string Read(string file) => File.ReadAllText(Path.Combine(_root, file));

    [GeneratedRegex(@"^(?:[a-z]+ )*(?:class|struct|record|interface|enum|delegate \S+) (?!struct |class )([A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^max_line_length = (\d+)", RegexOptions.Multiline)]
    private static partial Regex MostCharacters();

    [GeneratedRegex(
        """
        "{3}(?:(?!"{3}).)*"{3}|"(?:\\.|[^"\\])*"
        """)]
    private static partial Regex Quoted();
}
