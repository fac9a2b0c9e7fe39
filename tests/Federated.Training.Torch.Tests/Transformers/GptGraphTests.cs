using Federated.Modeling;
using Federated.Modeling.Onnx;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Shared.Randomness;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Federated.Training.Torch.Tests.Transformers;

/// <summary>The decoder that the builder makes, run by ONNX Runtime, against one written with torch.</summary>
public sealed class GptGraphTests
{
    private const int Examples = 3;

    private static readonly GptSpec _small = new() { Vocabulary = 37, Context = 12, Width = 24, Layers = 2, Heads = 4, KeyValueHeads = 2, FeedForward = 20 };

    public static TheoryData<string> Kinds { get; } = ["plain", "heads", "window", "experts", "untied", "everything"];

    private static GptSpec SpecOf(string kind) => kind switch
    {
        "heads" => _small with { KeyValueHeads = 4, Heads = 4 },
        "window" => _small with { Window = 3 },
        "experts" => _small with { Experts = 4, ActiveExperts = 2 },
        "untied" => _small with { TiedEmbedding = false, RotaryBase = 500_000, NormEpsilon = 1e-6 },
        "everything" => _small with { KeyValueHeads = 1, Window = 5, Experts = 3, ActiveExperts = 1, TiedEmbedding = false },
        _ => _small,
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Scores_OfABuiltDecoder_AreThoseOfTorch(string kind)
    {
        GptSpec spec = SpecOf(kind);
        ForwardModel model = ModelBuilders.Build(new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = spec });
        ParameterLayout layout = model.Layout;
        float[] adapter = Weights(layout);
        long[] tokens = Tokens(spec);

        float[] actual = Run(model, layout, adapter, tokens, spec);

        using IDisposable withoutGradient = torch.no_grad();
        using IDisposable scope = torch.NewDisposeScope();
        TorchDecoder decoder = new(spec, Tensors(layout, adapter));
        float[] expected = decoder.Forward(torch.tensor(tokens, [Examples, spec.Context])).data<float>().ToArray();
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.True(expected.Max() - expected.Min() > 0.5, "The scores are all alike: the comparison would say nothing.");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gradient_OfABuiltDecoder_IsThatOfTorch(string kind)
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = SpecOf(kind) }, seed: 3);
        GradientAgreement.Check(package, Weights(package.Manifest.Layout));
    }

    [Fact]
    public void Gradient_OfLowRankChangesOfADecoder_IsThatOfTorch()
    {
        ModelSpec spec = new() { Builder = ModelSpec.Gpt, GptSizes = _small, Lora = new PackageLora(2, 4, "q_proj|v_proj", 5) };
        ModelPackage package = ModelPackage.Build(spec, seed: 3);
        Assert.Equal(8, package.Manifest.Parameters.Count);
        GradientAgreement.Check(package, Weights(package.Manifest.Layout));
    }

    // ONNX Runtime dequantizes, torch gets float32 of the same values.
    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void Gradient_OfLowRankChangesOfAQuantizedDecoder_IsThatOfTorch(int bits)
    {
        ModelSpec spec = new()
        {
            Builder = ModelSpec.Gpt, GptSizes = _small with { Width = 32, FeedForward = 48 }, Lora = new PackageLora(2, 4, "_proj", 5), BaseBits = bits,
        };
        ModelPackage package = ModelPackage.Build(spec, seed: 3);
        Assert.Equal(bits, package.Manifest.BaseBits);
        GradientAgreement.Check(package, Weights(package.Manifest.Layout));
    }

    [Theory]
    [InlineData("heads", 5, "model.gpt.heads is 5; allowed is a divisor of width = 24")]
    [InlineData("keyValueHeads", 3, "model.gpt.keyValueHeads is 3; allowed is a divisor of heads = 4")]
    [InlineData("window", 13, "model.gpt.window is 13; allowed is 1 to 12")]
    [InlineData("activeExperts", 2, "model.gpt.activeExperts is 2; allowed is 1 to 1")]
    public void Build_SizesThatDoNotFit_NamesKeyValueAndWhatIsAllowed(string key, int value, string expected)
    {
        GptSpec spec = key switch
        {
            "heads" => _small with { Heads = value },
            "keyValueHeads" => _small with { KeyValueHeads = value },
            "window" => _small with { Window = value },
            _ => _small with { ActiveExperts = value },
        };
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => ModelBuilders.Build(new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = spec }));
        Assert.StartsWith(expected, refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Weights large enough that scores differ by more than rounding.</summary>
    private static float[] Weights(ParameterLayout layout)
    {
        SeededGenerator random = SeededGenerator.For(11, "decoder-weights");
        float[] adapter = new float[layout.Length];
        for (int i = 0; i < adapter.Length; i++)
        {
            adapter[i] = (float)(0.3 * random.NextGaussian());
        }

        return adapter;
    }

    private static long[] Tokens(GptSpec spec)
    {
        SeededGenerator random = SeededGenerator.For(12, "decoder-tokens");
        return [.. Enumerable.Range(0, Examples * spec.Context).Select(_ => (long)random.NextInt(spec.Vocabulary))];
    }

    private static Dictionary<string, torch.Tensor> Tensors(ParameterLayout layout, float[] adapter) => layout.Parameters.ToDictionary(
        p => p.Name, p => torch.tensor(adapter.AsSpan(p.Offset, p.Length).ToArray(), [.. p.Shape.Select(d => (long)d)]), StringComparer.Ordinal);

    private static float[] Run(ForwardModel model, ParameterLayout layout, float[] adapter, long[] tokens, GptSpec spec)
    {
        byte[] graph = OnnxFile.Write(model.ToScoringModel());
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using InferenceSession session = new(graph, options);
        using RunOptions run = new();
        Dictionary<string, OrtValue> inputs = layout.Parameters.ToDictionary(
            p => p.Name,
            p => OrtValue.CreateTensorValueFromMemory(adapter.AsSpan(p.Offset, p.Length).ToArray(), [.. p.Shape.Select(d => (long)d)]),
            StringComparer.Ordinal);
        inputs.Add(PackageManifest.FeaturesInput, OrtValue.CreateTensorValueFromMemory(tokens, [Examples, spec.Context]));
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, inputs, session.OutputNames);
            return outputs[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            foreach (OrtValue input in inputs.Values)
            {
                input.Dispose();
            }
        }
    }
}
