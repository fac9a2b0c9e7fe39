using System.Text.Json.Nodes;
using Federated.Modeling.Imports;
using Federated.Shared.Models;

namespace Federated.Modeling.Tests.Imports;

public sealed class LlamaFolderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llama-");

    [Theory]
    [InlineData("vocab_size", null, "vocab_size is missing or null")]
    [InlineData("intermediate_size", null, "intermediate_size is missing or null")]
    [InlineData("hidden_size", "\"wide\"", "hidden_size is \"wide\" where a whole number is needed")]
    public void Read_SizeThatIsNone_IsNamed(string key, string? value, string expected)
    {
        JsonObject config = new() { ["model_type"] = "llama", ["num_attention_heads"] = 2, ["hidden_size"] = 8, ["vocab_size"] = 16, ["num_hidden_layers"] = 1, ["intermediate_size"] = 8 };
        config[key] = value is null ? null : JsonNode.Parse(value);
        File.WriteAllText(Path.Combine(_folder.FullName, "config.json"), config.ToJsonString());

        string message = Assert.Throws<InvalidDataException>(() => LlamaImporter.Import(
            _folder.FullName, new ImportOptions { Task = ModelTask.CausalLm, Lora = new PackageLora(2, 4, ".*", 1) })).Message;

        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
