using System.Text.Json.Nodes;
using Federated.Server.Jobs;

namespace Federated.Simulator.Scenarios;

/// <summary>The published schema of a scenario's file, docs/schemas/scenario.schema.json.</summary>
internal static class ScenarioSchema
{
    /// <summary>The schema's text, byte for byte as it is published.</summary>
    public static string Text { get; } = Generate();

    private static string Generate()
    {
        JsonNode schema = JsonNode.Parse(SettingsSchema.TextOf<Scenario>("Federated scenario"))!;

        // The job of a scenario takes its name and population from the scenario.
        JsonArray required = schema["properties"]!["job"]!["required"]!.AsArray();
        required.RemoveAll(name => (string?)name is "name" or "population");
        return schema.ToJsonString(StrictJson.Options) + "\n";
    }
}
