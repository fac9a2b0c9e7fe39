using System.Text.Json;
using Federated.EndToEnd.Tests.Scene;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Modeling.Lora;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>The command line lets a package write, with adapters of both kinds.</summary>
public sealed class GenerateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Generate_Compare_WritesWithAndWithoutTheAdapter()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        ModelPackage package = Decoder();
        string folder = Path.Combine(_folder.Path, "package");
        _ = PackageFolder.Write(package, folder);
        SeededGenerator random = SeededGenerator.For(1, "adapter");
        float[] adapter = [.. package.InitialAdapter.Select(_ => (float)random.NextGaussian())];
        string document = Path.Combine(_folder.Path, "trained.adapter");
        await File.WriteAllBytesAsync(document, AdapterDocument.ToBytes(3, adapter), ct);
        (byte[] weights, byte[] config) = PeftAdapter.Write(package.Manifest, adapter);
        string peft = Directory.CreateDirectory(Path.Combine(_folder.Path, "peft")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(peft, PeftAdapter.WeightsFile), weights, ct);
        await File.WriteAllBytesAsync(Path.Combine(peft, PeftAdapter.ConfigFile), config, ct);

        JsonElement untouched = (await WriteAsync(folder))[0];
        List<JsonElement> both = await WriteAsync(folder, "--adapter", document, "--compare");
        List<JsonElement> same = await WriteAsync(folder, "--adapter", peft);

        Assert.Equal([false, true], both.Select(text => text.GetProperty("adapter").GetBoolean()));
        Assert.All([untouched, .. both, .. same], text => Assert.Equal(20, text.GetProperty("tokens").GetArrayLength()));
        Assert.Equal(Tokens(untouched), Tokens(both[0]));
        Assert.NotEqual(Tokens(both[0]), Tokens(both[1]));
        Assert.Equal(Tokens(both[1]), Tokens(same[0]));
    }

    [Fact]
    public async Task Generate_CompareOfChangesInTheBaseWeights_IsRefused()
    {
        string folder = Path.Combine(_folder.Path, "merged");
        _ = PackageFolder.Write(MergeablePackage.Of(Decoder()), folder);

        Assert.Single(await WriteAsync(folder));
        await using ProgramRun run = ProgramRun.Start("Federated.Server", "models", "generate", folder, "--prompt", "We the ", "--compare");

        Assert.Equal(2, await run.EndAsync());
        Assert.Contains("error: --compare: the changes of ", run.Said, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static ModelPackage Decoder() => ModelPackage.Build(new ModelSpec
    {
        Builder = ModelSpec.Gpt,
        GptSizes = new GptSpec { Context = 8, Width = 32, Layers = 1, Heads = 2, KeyValueHeads = 1, FeedForward = 16 },
        Lora = new PackageLora(4, 64, "_proj", 1),
    }, 1);

    private static int[] Tokens(JsonElement text) => [.. text.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32())];

    private static async Task<List<JsonElement>> WriteAsync(string package, params string[] arguments)
    {
        string[] all = ["models", "generate", package, "--prompt", "We the ", "--length", "20", "--top-k", "50", "--json", .. arguments];
        (int exitCode, string output) = await ProgramRun.RunAsync("Federated.Server", all);
        Assert.True(exitCode == 0, $"{string.Join(' ', all)} ended with {exitCode}: {output}");
        return [.. JsonDocument.Parse(output).RootElement.GetProperty("texts").EnumerateArray()];
    }
}
