using System.Text.RegularExpressions;
using Federated.Testing;

namespace Federated.Architecture.Tests;

/// <summary>The tests that the documents name exist: one that was renamed would be a promise that nobody can look up.</summary>
public sealed partial class CitedTestTests
{
    private static readonly string _root = RepositoryRoot.Find();

    private static readonly string[] _sources =
        [.. Directory.GetFiles(Path.Combine(_root, "tests"), "*.cs", SearchOption.AllDirectories).Where(file => !BuildOutput().IsMatch(file)).Select(File.ReadAllText)];

    public static TheoryData<string> Documents =>
    [
        "ARCHITECTURE.md", "CONTRIBUTING.md", "README.md",
        .. Directory.GetFiles(Path.Combine(_root, "docs"), "*.md").Order(StringComparer.Ordinal).Select(file => $"docs/{Path.GetFileName(file)}"),
    ];

    [Fact]
    public void TestsOfTheSecurityDocument_AreFound()
    {
        int cited = File.ReadLines(Path.Combine(_root, "docs/SECURITY.md")).Sum(line => Cited(line).Count());
        Assert.True(cited > 100, $"{cited} tests are named in docs/SECURITY.md.");
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Tests_ThatADocumentNames_Exist(string document)
    {
        string[] missing = [.. File.ReadLines(Path.Combine(_root, document)).SelectMany(Cited).Where(test => !Exists(test.Class, test.Method)).Select(test => $"{test.Class}.{test.Method}")];
        Assert.True(missing.Length == 0, $"{document} names tests that do not exist: {string.Join(", ", missing)}.");
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void PathsOfTests_ThatADocumentNames_Exist(string document) => Assert.All(
        TestPath().Matches(File.ReadAllText(Path.Combine(_root, document))).Select(match => match.Groups[1].Value),
        path => Assert.True(Path.Exists(Path.Combine(_root, path)), $"{document} names '{path}', which does not exist."));

    /// <summary>The tests named in a line. A method without a class is of the class named before it in the line; of any where there is none.</summary>
    private static IEnumerable<(string Class, string Method)> Cited(string line)
    {
        string of = "";
        foreach (Match match in TestName().Matches(line))
        {
            of = match.Groups["class"].Success ? match.Groups["class"].Value : of;
            yield return (of, match.Groups["method"].Value);
        }
    }

    /// <summary>Whether a class has a method; a star at the end of the method stands for anything, and an empty name for any class or method.</summary>
    private static bool Exists(string type, string method)
    {
        Regex declaresType = new($@"\bclass {type}\b");
        Regex declaresMethod = new($@"\b{method.Replace("*", @"\w+", StringComparison.Ordinal)}\(");
        return _sources.Any(source => (type.Length == 0 || declaresType.IsMatch(source)) && (method.Length == 0 || declaresMethod.IsMatch(source)));
    }

    [GeneratedRegex(@"`(?:(?<class>[A-Z][A-Za-z0-9]*Tests)(?:\.(?<method>\w+\*?))?|(?<method>[A-Z]+[a-z][A-Za-z0-9]*_\w*\*?))`")]
    private static partial Regex TestName();

    [GeneratedRegex("`(tests/[A-Za-z0-9./_-]+)`")]
    private static partial Regex TestPath();

    [GeneratedRegex(@"[\\/](obj|bin)[\\/]")]
    private static partial Regex BuildOutput();
}
