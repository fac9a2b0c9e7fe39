using System.Reflection;
using System.Text.RegularExpressions;
using Federated.Testing;
using Microsoft.Extensions.Logging;

namespace Federated.Architecture.Tests;

/// <summary>An id of the log means one thing, and OPERATIONS.md says which.</summary>
public sealed partial class LogEventTests
{
    private const int FirstOfTheClient = 100;

    private static readonly LoggerMessageAttribute[] _server = EventsOf("Federated.Server");
    private static readonly LoggerMessageAttribute[] _client = EventsOf("Federated.Client");

    [Fact]
    public void Ids_AreUniqueAndOfTheirProgramsRange()
    {
        Assert.All(_server, entry => Assert.InRange(entry.EventId, 1, FirstOfTheClient - 1));
        Assert.All(_client, entry => Assert.InRange(entry.EventId, FirstOfTheClient, 2 * FirstOfTheClient));
        int[] ids = [.. _server.Concat(_client).Select(entry => entry.EventId)];
        Assert.Equal(ids.Distinct().Order(), ids.Order());
    }

    [Fact]
    public void TablesOfTheDocument_HaveEveryIdWithItsLevel()
    {
        Dictionary<int, string> documented = File.ReadLines(Path.Combine(RepositoryRoot.Find(), "docs/OPERATIONS.md"))
            .Select(line => Row().Match(line)).Where(match => match.Success)
            .SelectMany(match => match.Groups[1].Value.Split(", ").Select(id => (Id: int.Parse(id, System.Globalization.CultureInfo.InvariantCulture), Level: match.Groups[2].Value)))
            .ToDictionary(row => row.Id, row => row.Level);
        LoggerMessageAttribute[] entries = [.. _server, .. _client];

        Assert.Equal(entries.Select(entry => entry.EventId).Order(), documented.Keys.Order());

        // An entry without a level of its own is logged with one or another.
        Assert.All(entries.Where(entry => entry.Level != LogLevel.None), entry => Assert.Equal(entry.Level.ToString(), documented[entry.EventId], ignoreCase: true));
    }

    [Fact]
    public void TableOfTheServer_NamesCategoriesThatThereAre()
    {
        string[] categories = [.. File.ReadLines(Path.Combine(RepositoryRoot.Find(), "docs/OPERATIONS.md"))
            .Select(line => Row().Match(line)).Where(match => match.Success && int.Parse(match.Groups[1].Value.Split(", ")[0], System.Globalization.CultureInfo.InvariantCulture) < FirstOfTheClient)
            .Select(match => Category().Match(match.Groups[3].Value).Groups[1].Value)];

        Assert.NotEmpty(categories);
        Assert.All(categories, category => Assert.NotNull(Assembly.Load("Federated.Server").GetType($"Federated.Server.{category}")));
    }

    private static LoggerMessageAttribute[] EventsOf(string assembly) =>
    [
        .. Assembly.Load(assembly).GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>(),
    ];

    [GeneratedRegex(@"^\| (\d+(?:, \d+)*) \| (information|warning|error|debug|information, warning) \|(.*)")]
    private static partial Regex Row();

    [GeneratedRegex("^ `([A-Za-z.]+)` \\|")]
    private static partial Regex Category();
}
