using System.Text.Json.Nodes;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Modeling.Imports;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Shared.Randomness;
using Federated.Testing;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Federated.Training.Torch.Tests.Transformers;

/// <summary>Random checkpoints in the published form, imported and run, against the decoder written with torch.</summary>
public sealed class LlamaImporterTests : IDisposable
{
    private const int Context = 12;
    private const int Examples = 2;

    private static readonly PackageLora _lora = new(2, 4, "q_proj|v_proj|w1", 1);

    // What config.json of the checkpoints says, as the torch decoder takes it.
    private static readonly GptSpec _published = new()
    {
        Vocabulary = 37, Context = Context, Width = 24, Layers = 2, Heads = 4, KeyValueHeads = 2, FeedForward = 20, RotaryBase = 500_000, NormEpsilon = 1e-6, TiedEmbedding = false,
    };

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("llama", false, false)]
    [InlineData("llama", true, true)]
    [InlineData("mistral", false, true)]
    [InlineData("mixtral", false, false)]
    public void Import_PublishedFolder_GivesTheScoresOfTorch(string family, bool tied, bool sharded)
    {
        List<NamedTensor> tensors = PublishedCheckpoint.Tensors(family, tied);
        JsonObject config = PublishedCheckpoint.Config(family);
        config["tie_word_embeddings"] = tied;
        Write(config, tensors, sharded);

        ImportResult result = LlamaImporter.Import(_folder.Path, Options());

        GptSpec spec = _published with
        {
            TiedEmbedding = tied, Window = family == "mistral" ? 5 : null, Experts = family == "mixtral" ? 3 : 1, ActiveExperts = family == "mixtral" ? 2 : 1,
        };
        SeededGenerator random = SeededGenerator.For(5, "tokens");
        long[] tokens = [.. Enumerable.Range(0, Examples * Context).Select(_ => (long)random.NextInt(37))];
        float[] actual = Run(result.Package, tokens);
        using IDisposable withoutGradient = torch.no_grad();
        using IDisposable scope = torch.NewDisposeScope();
        Dictionary<string, torch.Tensor> weights = tensors.ToDictionary(
            t => t.Name, t => torch.tensor(t.Values.ToArray(), [.. t.Shape.Select(d => (long)d)]), StringComparer.Ordinal);
        float[] expected = new TorchDecoder(spec, weights).Forward(torch.tensor(tokens, [Examples, Context])).data<float>().ToArray();
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.True(expected.Max() - expected.Min() > 0.5, "The scores are all alike: the comparison would say nothing.");
    }

    [Fact]
    public void Import_LowRankChanges_AreNamedAsPeftNamesThem()
    {
        Write(PublishedCheckpoint.Config("llama"), PublishedCheckpoint.Tensors("llama", tied: false), sharded: false);

        ImportResult result = LlamaImporter.Import(_folder.Path, Options() with { Name = "tiny" });

        Assert.Equal(("tiny", 8L, 4), (result.Package.Manifest.Name, result.Package.Manifest.Parameters.Count, result.Report.Adapted.Count));
        Assert.Equal(result.Package.Manifest.Layout.Length, result.Report.TrainableParameters);
        (byte[] weights, _) = PeftAdapter.Write(result.Package.Manifest, result.Package.InitialAdapter);
        Assert.Contains("base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight", SafetensorsFile.Read(weights).Select(t => t.Name));
    }

    [Fact]
    public void Import_All_StartsFromTheCheckpoint()
    {
        List<NamedTensor> tensors = PublishedCheckpoint.Tensors("llama", tied: false);
        Write(PublishedCheckpoint.Config("llama"), tensors, sharded: false);

        ModelPackage package = LlamaImporter.Import(_folder.Path, Options() with { Lora = null, Trainable = "all" }).Package;

        ParameterSpec norm = package.Manifest.Layout.Parameters.Single(p => p.Name == "model.norm.weight");
        Assert.Equal(tensors.Single(t => t.Name == "model.norm.weight").Values.ToArray(), package.InitialAdapter.AsSpan(norm.Offset, norm.Length).ToArray());
    }

    [Fact]
    public void Import_WeightsBesideTheFactors_StartFromTheCheckpoint()
    {
        List<NamedTensor> tensors = PublishedCheckpoint.Tensors("llama", tied: false);
        Write(PublishedCheckpoint.Config("llama"), tensors, sharded: false);

        ImportResult result = LlamaImporter.Import(_folder.Path, Options() with { Trainable = "norm" });

        Assert.Equal(5, result.Report.Trained.Count);
        ParameterSpec norm = result.Package.Manifest.Layout.Parameters.Single(p => p.Name == "model.norm.weight");
        Assert.Equal(tensors.Single(t => t.Name == "model.norm.weight").Values.ToArray(), result.Package.InitialAdapter.AsSpan(norm.Offset, norm.Length).ToArray());
        Assert.Equal(result.Package.Manifest.FullModelParameters - (5 * norm.Length), result.Report.FrozenParameters);
    }

    [Fact]
    public void Import_BuffersOfOldCheckpoints_AreLeftOut()
    {
        List<NamedTensor> tensors = PublishedCheckpoint.Tensors("llama", tied: false);
        tensors.Add(new NamedTensor("model.layers.0.self_attn.rotary_emb.inv_freq", [3], new float[3]));
        Write(PublishedCheckpoint.Config("llama"), tensors, sharded: false);

        Assert.Equal(8, LlamaImporter.Import(_folder.Path, Options()).Package.Manifest.Parameters.Count);
    }

    [Theory]
    [InlineData("model_type", "qwen2", "model_type = qwen2")]
    [InlineData("hidden_act", "gelu", "hidden_act = gelu")]
    [InlineData("attention_bias", true, "attention_bias = True")]
    [InlineData("head_dim", 8, "head_dim = 8")]
    [InlineData("rope_scaling", "llama3", "rope_scaling = llama3")]
    [InlineData("intermediate_size", 21, "model.layers.0.mlp.gate_proj.weight has shape [20, 24] where the model has [21, 24]")]
    [InlineData("num_hidden_layers", 3, "model.layers.2.input_layernorm.weight is missing")]
    [InlineData("hidden_size", "wide", "config.json' cannot be read")]
    public void Import_ModelThatIsNotSupported_IsRefusedByTheKey(string key, object value, string expected)
    {
        JsonObject config = PublishedCheckpoint.Config("llama");
        config[key] = key == "rope_scaling" ? new JsonObject { ["rope_type"] = (string)value } : JsonValue.Create(value);
        Write(config, PublishedCheckpoint.Tensors("llama", tied: false), sharded: false);

        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => LlamaImporter.Import(_folder.Path, Options()));

        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Import_OptionsThatDoNotSuit_AreRefused()
    {
        Write(PublishedCheckpoint.Config("llama"), PublishedCheckpoint.Tensors("llama", tied: false), sharded: false);

        foreach ((ImportOptions options, string expected) in new[]
        {
            (Options() with { Task = ModelTask.Classification }, "causal-lm"),
            (Options() with { InputShape = [65] }, "1 to 64 tokens"),
            (Options() with { Trainable = "bias" }, "matches no weight"),
            (Options() with { Lora = null, Trainable = "norm" }, "without --lora"),
            (Options() with { Lora = null }, "Nothing"),
        })
        {
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => LlamaImporter.Import(_folder.Path, options)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Import_ShardOutsideTheFolder_IsRefused()
    {
        Write(PublishedCheckpoint.Config("llama"), PublishedCheckpoint.Tensors("llama", tied: false), sharded: false);
        File.WriteAllText(Path.Combine(_folder.Path, "model.safetensors.index.json"), """{ "weight_map": { "model.norm.weight": "../model.safetensors" } }""");

        Assert.Contains("from the folder itself", Assert.Throws<InvalidDataException>(() => LlamaImporter.Import(_folder.Path, Options())).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static ImportOptions Options() => new() { Task = ModelTask.CausalLm, Lora = _lora, InputShape = [Context] };

    private void Write(JsonObject config, List<NamedTensor> tensors, bool sharded)
    {
        File.WriteAllText(Path.Combine(_folder.Path, "config.json"), config.ToJsonString());
        if (!sharded)
        {
            File.WriteAllBytes(Path.Combine(_folder.Path, "model.safetensors"), SafetensorsFile.Write(tensors));
            return;
        }

        JsonObject map = [];
        int half = tensors.Count / 2;
        foreach ((string file, List<NamedTensor> part) in new[] { ("model-00001-of-00002.safetensors", tensors[..half]), ("model-00002-of-00002.safetensors", tensors[half..]) })
        {
            File.WriteAllBytes(Path.Combine(_folder.Path, file), SafetensorsFile.Write(part));
            part.ForEach(tensor => map[tensor.Name] = file);
        }

        File.WriteAllText(Path.Combine(_folder.Path, "model.safetensors.index.json"), new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());
    }

    // Merged, so that the frozen weights, the zero change and the export are all in what is compared.
    private static float[] Run(ModelPackage package, long[] tokens)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using InferenceSession session = new(MergedModel.Build(package, package.InitialAdapter), options);
        using RunOptions run = new();
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(tokens, [Examples, Context]);
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, [PackageManifest.FeaturesInput], [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
