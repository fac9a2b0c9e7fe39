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

        // And the pool that selection waits for.
        JsonObject pool = schema["properties"]!["job"]!["properties"]!["cohort"]!["properties"]!["minimumPool"]!.AsObject();
        pool.Remove("default");
        pool["description"] =
            "Devices that must wait before a cohort is selected; population.devices when left out, so that runs repeat; 0 selects as soon as there are enough for it.";
        return schema.ToJsonString(StrictJson.Options) + "\n";
    }
}
