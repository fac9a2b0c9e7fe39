using System.Text.Json.Nodes;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Shared.Randomness;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Federated.Training.Torch.Tests.Transformers;

/// <summary>A decoder with low-rank changes as other software gets it: merged into one ONNX model, and as a folder for PEFT.</summary>
public sealed class DecoderExportTests
{
    private const int Examples = 3;
    private const int Rank = 3;
    private const double Alpha = 6;

    private static readonly GptSpec _spec = new() { Vocabulary = 37, Context = 12, Width = 24, Layers = 2, Heads = 4, KeyValueHeads = 2, FeedForward = 20, TiedEmbedding = false };

    [Theory]
    [InlineData("_proj|lm_head", 1)]
    [InlineData("q_proj|v_proj", 1)]
    [InlineData("_proj|w[123]|gate", 3)]
    public void Merged_Decoder_GivesTheScoresOfBaseAndAdapter(string targets, int experts)
    {
        GptSpec spec = _spec with { Experts = experts, ActiveExperts = Math.Min(2, experts) };
        ModelSpec whole = new() { Builder = ModelSpec.Gpt, GptSizes = spec };
        ParameterLayout layout = ModelBuilders.Build(whole).Layout;
        float[] weights = Random(layout.Length, 0.3, "weights");
        ModelPackage package = ModelPackage.Build(whole with { Lora = new PackageLora(Rank, Alpha, targets, 1) }, 1, weights);
        float[] adapter = Random(package.InitialAdapter.Length, 0.2, "adapter");
        SeededGenerator random = SeededGenerator.For(4, "tokens");
        long[] tokens = [.. Enumerable.Range(0, Examples * spec.Context).Select(_ => (long)random.NextInt(spec.Vocabulary))];

        float[] merged = Run(MergedModel.Build(package, adapter), tokens);

        using IDisposable withoutGradient = torch.no_grad();
        using IDisposable scope = torch.NewDisposeScope();
        Dictionary<string, torch.Tensor> tensors = Tensors(layout, weights);
        float[] plain = Forward(spec, tensors, tokens);
        foreach ((string name, torch.Tensor factor) in Tensors(package.Manifest.Layout, adapter))
        {
            tensors.Add(name, factor);
        }

        float[] expected = Forward(spec, tensors, tokens);
        Assert.Equal(expected.Length, merged.Length);
        Assert.All(expected.Zip(merged), pair => Assert.Equal(pair.First, pair.Second, 1e-5f * Math.Max(1, Math.Abs(pair.First))));
        Assert.True(expected.Zip(plain).Max(pair => Math.Abs(pair.First - pair.Second)) > 0.1, "The adapter changes nothing: the comparison would say nothing.");
    }

    // Names and shapes as get_peft_model_state_dict gives them for LlamaForCausalLM, and the keys of LoraConfig 0.15.
    [Fact]
    public void Peft_Decoder_HasTheNamesAndKeysOfPeft()
    {
        ModelPackage package = ModelPackage.Build(
            new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = _spec, Lora = new PackageLora(Rank, Alpha, "q_proj|down_proj", 1) }, 1);

        (byte[] file, byte[] settings) = PeftAdapter.Write(package.Manifest, package.InitialAdapter);

        Dictionary<string, int[]> expected = [];
        for (int layer = 0; layer < 2; layer++)
        {
            string name = $"base_model.model.model.layers.{layer}";
            expected.Add($"{name}.self_attn.q_proj.lora_A.weight", [Rank, 24]);
            expected.Add($"{name}.self_attn.q_proj.lora_B.weight", [24, Rank]);
            expected.Add($"{name}.mlp.down_proj.lora_A.weight", [Rank, 20]);
            expected.Add($"{name}.mlp.down_proj.lora_B.weight", [24, Rank]);
        }

        IReadOnlyList<NamedTensor> tensors = SafetensorsFile.Read(file);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.All(tensors, tensor => Assert.Equal(expected[tensor.Name], tensor.Shape));
        JsonObject config = JsonNode.Parse(settings)!.AsObject();
        Assert.Equal(("LORA", "CAUSAL_LM", 3, 6.0), ((string)config["peft_type"]!, (string)config["task_type"]!, (int)config["r"]!, (double)config["lora_alpha"]!));
        Assert.Equal(
            ["model.layers.0.mlp.down_proj", "model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj", "model.layers.1.self_attn.q_proj"],
            config["target_modules"]!.AsArray().Select(m => (string)m!).Order(StringComparer.Ordinal));
        Assert.Equal(package.InitialAdapter, PeftAdapter.Read(file, settings).Into(package with { InitialAdapter = new float[package.InitialAdapter.Length] }).InitialAdapter);
    }

    private static float[] Random(int length, double deviation, string purpose)
    {
        SeededGenerator random = SeededGenerator.For(9, purpose);
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = (float)(deviation * random.NextGaussian());
        }

        return values;
    }

    private static float[] Forward(GptSpec spec, Dictionary<string, torch.Tensor> tensors, long[] tokens) =>
        new TorchDecoder(spec, tensors, Alpha / Rank).Forward(torch.tensor(tokens, [Examples, spec.Context])).data<float>().ToArray();

    private static Dictionary<string, torch.Tensor> Tensors(ParameterLayout layout, float[] values) => layout.Parameters.ToDictionary(
        p => p.Name, p => torch.tensor(values.AsSpan(p.Offset, p.Length).ToArray(), [.. p.Shape.Select(d => (long)d)]), StringComparer.Ordinal);

    private static float[] Run(byte[] model, long[] tokens)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using InferenceSession session = new(model, options);
        using RunOptions run = new();
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(tokens, [Examples, _spec.Context]);
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, [PackageManifest.FeaturesInput], [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
