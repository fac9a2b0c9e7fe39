using Federated.Modeling.Exports;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Modeling.Quantization;
using Federated.Modeling.Tests.Reference;
using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Quantization;

public sealed class QuantizedBaseTests
{
    private static readonly ModelSpec s_spec = new()
    {
        Builder = ModelSpec.Mlp, Inputs = 70, Hidden = [64, 48], Classes = 5, Lora = new PackageLora(2, 4, ".*", 1),
    };

    [Theory]
    [InlineData(8, 0.29)]
    [InlineData(4, 0.17)]
    public void Build_Bits_ShrinkTheFrozenWeights(int bits, double most)
    {
        ModelSpec large = s_spec with { Inputs = 784, Hidden = [512, 512] };

        double ratio = (double)ModelPackage.Build(large with { BaseBits = bits }, 1).FrozenWeights.Length / ModelPackage.Build(large, 1).FrozenWeights.Length;

        Assert.InRange(ratio, 0, most);
    }

    // The same numbers as float32: what the quantized graph computes is what its matrices stand for.
    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void Widen_Gradients_AreThoseOfTheQuantizedGraph(int bits)
    {
        ModelPackage package = ModelPackage.Build(s_spec with { BaseBits = bits }, 1);
        Dictionary<string, Tensor> feeds = Feeds(package);

        IReadOnlyDictionary<string, Tensor> quantized = Run(package, feeds, widen: false);
        IReadOnlyDictionary<string, Tensor> wide = Run(package, feeds, widen: true);

        Assert.Equal(wide.Keys.Order(), quantized.Keys.Order());
        Assert.All(wide, output => Assert.Equal(0, Distance(quantized[output.Key], output.Value), 1e-5));
    }

    // A decoder is smooth: no unit switches off by a rounded weight.
    [Theory]
    [InlineData(8, 0.02)]
    [InlineData(4, 0.25)]
    public void Build_Gradients_AreNearThoseOfFloat32(int bits, double most)
    {
        ModelSpec spec = new()
        {
            Builder = ModelSpec.Gpt, GptSizes = new() { Context = 16, Width = 64, Layers = 2, Heads = 4, FeedForward = 96 }, Lora = new PackageLora(4, 8, "_proj", 1),
        };
        ModelPackage package = ModelPackage.Build(spec with { BaseBits = bits }, 1);
        ModelPackage whole = ModelPackage.Build(spec, 1);
        Dictionary<string, Tensor> feeds = Feeds(package);

        IReadOnlyDictionary<string, Tensor> quantized = Run(package, feeds, widen: false);
        IReadOnlyDictionary<string, Tensor> exact = Run(whole, feeds, widen: false);

        double[] distances = [.. exact.Select(output => Distance(quantized[output.Key], output.Value))];
        Assert.True(distances.Max() <= most && distances.Max() > 1e-4, string.Join(", ", exact.Keys.Zip(distances)));
    }

    [Fact]
    public void Merged_QuantizedBase_IsAModelOfFloat32()
    {
        ModelPackage package = ModelPackage.Build(s_spec with { BaseBits = 4 }, 1);

        ModelProto merged = OnnxFile.Read(MergedModel.Build(package, package.InitialAdapter));

        Assert.DoesNotContain(merged.Graph.Node, node => node.OpType == "DequantizeLinear");
        Assert.Equal([70, 64], merged.Graph.Initializer.Single(t => t.Name == "dense1.weight").Dims.Order().Reverse().ToArray());
    }

    [Fact]
    public void MergeablePackage_QuantizedBase_HasItsWeightsInTheAdapter() =>
        Assert.Equal(
            MergeablePackage.Of(ModelPackage.Build(s_spec, 1)).InitialAdapter.Length,
            MergeablePackage.Of(ModelPackage.Build(s_spec with { BaseBits = 8 }, 1)).InitialAdapter.Length);

    [Fact]
    public void MergeablePackage_QuantizedBase_SaysThatItIsFloat32() =>
        Assert.Null(MergeablePackage.Of(ModelPackage.Build(s_spec with { BaseBits = 8 }, 1)).Manifest.BaseBits);

    [Fact]
    public void Build_OtherBits_AreRefused()
    {
        Assert.Contains("8 or 4 bits", Assert.Throws<ArgumentOutOfRangeException>(() => ModelPackage.Build(s_spec with { BaseBits = 5 }, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("no frozen weights", Assert.Throws<ArgumentException>(() => ModelPackage.Build(s_spec with { Lora = null, BaseBits = 8 }, 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Build_BaseThatIsNotFinite_IsRefusedByTheWeightsName(float value)
    {
        float[] weights = new float[ModelPackage.Build(s_spec with { Lora = null }, 1).InitialAdapter.Length];
        weights[100] = value;

        string message = Assert.Throws<OnnxFormatException>(() => ModelPackage.Build(s_spec with { BaseBits = 8 }, 1, weights)).Message;

        Assert.Contains("'dense1.weight' holds values that are not finite", message, StringComparison.Ordinal);
    }

    private static IReadOnlyDictionary<string, Tensor> Run(ModelPackage package, Dictionary<string, Tensor> feeds, bool widen)
    {
        ModelProto model = OnnxFile.Read(package.GradientGraph);
        ExternalWeights.Embed(model, _ => package.FrozenWeights);
        if (widen)
        {
            // Two matrices forward, the second backward too; the third is small.
            Assert.Equal(3, model.Graph.Node.Count(n => n.OpType == "DequantizeLinear"));
            QuantizedBase.Widen(model);
            Assert.DoesNotContain(model.Graph.Node, n => n.OpType == "DequantizeLinear");
        }

        return OnnxRuntimeRun.Run(OnnxFile.Write(model), feeds);
    }

    private static Dictionary<string, Tensor> Feeds(ModelPackage package)
    {
        SeededGenerator random = SeededGenerator.For(1, "feeds");
        Dictionary<string, Tensor> feeds = new()
        {
            ["features"] = package.Manifest.Task == ModelTask.CausalLm
                ? Tensor.Make([6, 16], _ => random.NextInt(256))
                : Tensor.Make([6, 70], _ => random.NextGaussian()),
            ["labels"] = Tensor.Make([6, .. package.Manifest.Labels.Shape], _ => random.NextInt(package.Manifest.Labels.Classes!.Value)),
        };
        foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
        {
            feeds.Add(parameter.Name, Tensor.Make([.. parameter.Shape], _ => 0.1 * random.NextGaussian()));
        }

        return feeds;
    }

    private static double Distance(Tensor actual, Tensor expected) =>
        Math.Sqrt(actual.Values.Zip(expected.Values).Sum(v => Math.Pow(v.First - v.Second, 2)) / expected.Values.Sum(v => v * v));
}
