using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Federated.Server.Jobs;

namespace Federated.Server.Tests.Jobs;

public sealed class JobSchemaTests
{
    private static string PublishedPath([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../../docs/schemas/job.schema.json"));

    /// <summary>To publish a change of the settings, run this test with FEDERATED_WRITE_SCHEMAS=1 once.</summary>
    [Fact]
    public void Text_PublishedFile_IsTheSame()
    {
        if (Environment.GetEnvironmentVariable("FEDERATED_WRITE_SCHEMAS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PublishedPath())!);
            File.WriteAllText(PublishedPath(), JobSchema.Text);
        }

        Assert.Equal(File.ReadAllText(PublishedPath()), JobSchema.Text);
    }

    [Fact]
    public void Text_EveryObject_IsClosedAndEveryKeyDescribed()
    {
        int objects = 0;
        void Walk(JsonNode? node)
        {
            if (node is JsonObject { } o && o["properties"] is JsonObject properties)
            {
                objects++;
                Assert.False((bool)o["additionalProperties"]!);
                foreach ((string key, JsonNode? property) in properties)
                {
                    Assert.False(string.IsNullOrEmpty((string?)property!["description"]), key);
                    Walk(property);
                }
            }
        }

        Walk(JsonNode.Parse(JobSchema.Text));
        Assert.Equal(19, objects);
    }

    [Fact]
    public void Text_Goal_HasRangeAndDefault()
    {
        JsonNode goal = JsonNode.Parse(JobSchema.Text)!["properties"]!["cohort"]!["properties"]!["goal"]!;
        Assert.Equal((1, 10000, 10), ((int)goal["minimum"]!, (int)goal["maximum"]!, (int)goal["default"]!));
        Assert.Equal("integer", (string)goal["type"]!);
    }
}
