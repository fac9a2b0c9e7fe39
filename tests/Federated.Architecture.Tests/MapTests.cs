using System.Text.RegularExpressions;
using Federated.Testing;

namespace Federated.Architecture.Tests;

/// <summary>The map in ARCHITECTURE.md shows every folder of every project, and none that is not there.</summary>
public sealed partial class MapTests
{
    private static readonly string _root = RepositoryRoot.Find();

    private static readonly Dictionary<string, string> _rows = File.ReadLines(Path.Combine(_root, "ARCHITECTURE.md"))
        .Select(line => Row().Match(line)).Where(match => match.Success)
        .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.Ordinal);

    private static readonly string[] _sourceProjects =
        [.. new[] { "Client", "Server", "Shared", "Simulator", "tools" }.SelectMany(Projects).Order(StringComparer.Ordinal)];

    public static TheoryData<string> SourceProjects => [.. _sourceProjects];

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void Row_OfASourceProject_NamesItsFolders(string project)
    {
        string row = Assert.Contains(project, _rows);
        IEnumerable<string> named = Folder().Matches(row).Select(match => match.Groups[1].Value);
        Assert.Equal(Folders(project).Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void RowOfTheTests_NamesTheProjectsThatAreNoSourceProjects()
    {
        HashSet<string> mirrors = [.. _sourceProjects.Select(project => $"{Path.GetFileName(project)}.Tests")];
        IEnumerable<string> others = Projects("tests").Select(project => Path.GetFileName(project)!).Where(name => !mirrors.Contains(name));
        IEnumerable<string> named = Project().Matches(_rows["tests/"]).Select(match => match.Groups[1].Value);
        Assert.Equal(others.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Projects(string folder) => Directory.GetDirectories(Path.Combine(_root, folder))
        .Where(path => Directory.GetFiles(path, "*.csproj").Length > 0).Select(path => $"{folder}/{Path.GetFileName(path)}");

    /// <summary>Folders of a project; those that a build or a run leaves begin with a small letter.</summary>
    private static IEnumerable<string> Folders(string project) => Directory.GetDirectories(Path.Combine(_root, project))
        .Select(path => Path.GetFileName(path)).Where(name => char.IsAsciiLetterUpper(name[0]));

    [GeneratedRegex(@"^\| `([\w./]+)` \| (.*) \|$")]
    private static partial Regex Row();

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*)/`")]
    private static partial Regex Folder();

    [GeneratedRegex("`(Federated[A-Za-z0-9.]*)`")]
    private static partial Regex Project();
}
