using System.ComponentModel;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;

namespace Federated.Simulator.Reports;

/// <summary>The published schema of <c>summary.json</c>, docs/schemas/summary.schema.json, generated from <see cref="RunSummary"/>.</summary>
internal static class SummarySchema
{
    /// <summary>The schema's text, byte for byte as it is published.</summary>
    public static string Text { get; } = Generate();

    private static string Generate()
    {
        JsonSchemaExporterOptions options = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe };
        JsonObject exported = ReportJson.Plain.GetJsonSchemaAsNode(typeof(RunSummary), options).AsObject();
        JsonObject schema = new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Federated run summary",
        };
        foreach ((string key, JsonNode? value) in exported)
        {
            schema[key] = value?.DeepClone();
        }

        return schema.ToJsonString(ReportJson.Indented) + "\n";
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is JsonObject schema && context.PropertyInfo?.AttributeProvider is MemberInfo member
            && member.GetCustomAttribute<DescriptionAttribute>() is { } description)
        {
            schema.Insert(0, "description", description.Description);
        }

        return node;
    }
}
