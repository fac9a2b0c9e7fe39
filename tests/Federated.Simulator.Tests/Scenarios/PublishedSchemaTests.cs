using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Federated.Simulator.Reports;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.Tests.Scenarios;

public sealed class PublishedSchemaTests
{
    [Fact]
    public void ScenarioSchema_TheFileInDocs_IsTheGeneratedText() => AssertPublished("scenario.schema.json", ScenarioSchema.Text);

    [Fact]
    public void SummarySchema_TheFileInDocs_IsTheGeneratedText() => AssertPublished("summary.schema.json", SummarySchema.Text);

    [Fact]
    public void ScenarioSchema_ThePool_StatesNoDefaultBecauseItIsTheNumberOfDevices()
    {
        JsonNode pool = JsonNode.Parse(ScenarioSchema.Text)!["properties"]!["job"]!["properties"]!["cohort"]!["properties"]!["minimumPool"]!;
        Assert.False(pool.AsObject().ContainsKey("default"));
        Assert.Contains("population.devices when left out", (string)pool["description"]!, StringComparison.Ordinal);
    }

    private static void AssertPublished(string name, string text, [CallerFilePath] string here = "")
    {
        string path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "docs", "schemas", name));
        Assert.Equal(text, File.ReadAllText(path));
    }
}
