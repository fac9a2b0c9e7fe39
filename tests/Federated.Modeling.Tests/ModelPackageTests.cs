using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Gradients;
using Federated.Modeling.Tests.Reference;
using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests;

public sealed class ModelPackageTests
{
    private static readonly ModelSpec s_smallMlp = new() { Builder = ModelSpec.Mlp, Inputs = 6, Hidden = [5, 4], Classes = 3 };
    private static readonly ModelSpec s_smallCnn = new() { Builder = ModelSpec.Cnn, ImageShape = [2, 9, 8], Channels = [3, 4], Hidden = [6], Classes = 3 };

    public static TheoryData<ModelSpec> SmallModels => [s_smallMlp, s_smallCnn];

    // McMahan et al. 2017, section 3.
    [Theory]
    [InlineData(ModelSpec.Mlp, 199_210)]
    [InlineData(ModelSpec.Cnn, 1_663_370)]
    public void Build_PublishedModel_HasThePublishedParameterCount(string builder, int parameters)
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = builder }, 1);
        Assert.Equal(parameters, package.Manifest.Layout.Length);
        Assert.Equal(parameters, package.Manifest.FullModelParameters);
        Assert.Equal(parameters, package.InitialAdapter.Length);
        Assert.Equal(784, package.Manifest.FeatureLength);
    }

    // All weights zero: every class is equally likely, so the loss is ln 10 and the first of equal scores is guessed.
    [Theory]
    [InlineData(ModelSpec.Mlp)]
    [InlineData(ModelSpec.Cnn)]
    public void Evaluation_AllWeightsZero_IsAGuess(string builder)
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = builder }, 1);
        Dictionary<string, Tensor> feeds = Feeds(package.Manifest, new float[package.InitialAdapter.Length], 20);
        IReadOnlyDictionary<string, Tensor> run = OnnxRuntimeRun.Run(package.EvaluationGraph, feeds);
        Assert.Equal(Math.Log(10), run[PackageManifest.LossOutput].Values[0], 5);
        Assert.Equal(feeds[PackageManifest.LabelsInput].Values.Count(v => v == 0), run[PackageManifest.ScoreOutput].Values[0]);
    }

    [Theory]
    [MemberData(nameof(SmallModels))]
    public void Gradient_SmallModel_MatchesDifferencesAndOnnxRuntime(ModelSpec spec)
    {
        const double Step = 1e-6;
        ModelPackage package = ModelPackage.Build(spec, 3);
        GraphBuilder gradient = GraphFile.FromModel(OnnxFile.Read(package.GradientGraph));
        GraphBuilder evaluation = GraphFile.FromModel(OnnxFile.Read(package.EvaluationGraph));
        Dictionary<string, Tensor> feeds = Feeds(package.Manifest, package.InitialAdapter, 4);
        IReadOnlyDictionary<string, Tensor> actual = OnnxRuntimeRun.Run(package.GradientGraph, feeds);
        IReadOnlyDictionary<GraphValue, Tensor> run = Interpreter.Run(gradient, feeds);
        Assert.Equal(["loss", .. package.Manifest.Parameters.Select(p => $"gradient/{p.Name}")], gradient.Outputs.Select(o => o.Name));
        foreach ((string name, GraphValue value) in gradient.Outputs)
        {
            GradientCheck.Same(run[value], actual[name], 1e-5, name);
        }

        SeededGenerator generator = SeededGenerator.For(5, "elements");
        foreach (PackageParameter parameter in package.Manifest.Parameters)
        {
            Tensor analytic = run[gradient.Outputs.Single(o => o.Name == $"gradient/{parameter.Name}").Value];
            int element = generator.NextInt(analytic.Length);
            double difference = (LossAt(+Step) - LossAt(-Step)) / (2 * Step);
            Assert.Equal(difference, analytic.Values[element], 1e-7);

            double LossAt(double step)
            {
                Tensor moved = feeds[parameter.Name] with { Values = [.. feeds[parameter.Name].Values] };
                moved.Values[element] += step;
                Dictionary<string, Tensor> at = new(feeds) { [parameter.Name] = moved };
                return Interpreter.Run(evaluation, at)[evaluation.Outputs[0].Value].Values[0];
            }
        }
    }

    [Theory]
    [MemberData(nameof(SmallModels))]
    public void Build_SameSpecAndSeed_GivesTheSameBytes(ModelSpec spec)
    {
        ModelPackage a = ModelPackage.Build(spec, 9);
        ModelPackage b = ModelPackage.Build(spec, 9);
        Assert.Equal(a.Manifest.ToBytes(), b.Manifest.ToBytes());
        Assert.Equal(a.GradientGraph, b.GradientGraph);
        Assert.Equal(a.EvaluationGraph, b.EvaluationGraph);
        Assert.Equal(a.InitialAdapter, b.InitialAdapter);
        Assert.Equal(ContentHash.Of(a.GradientGraph).Hex, a.Manifest.Gradient.Sha256);
        Assert.Equal(a.EvaluationGraph.Length, a.Manifest.Evaluation.LengthBytes);
    }

    // Golden: a change here changes every package's name, so devices download it again; change it on purpose only.
    [Theory]
    [InlineData(
        ModelSpec.Mlp,
        "dd6c769a7201f6b11c6b65edbc01cb12622a48acaae7ec7a8b10c3c6b8a53a8d",
        "f4da109652a12c650bdaa7c5b359dcadf24706619618050e7eb034394e88ad03",
        "d4487dc2106630b6bfc4afdcc9da18e25f1d585c064e620df464b52c4a455950")]
    [InlineData(
        ModelSpec.Cnn,
        "c3bbe4b1bbd7393a42d585957e9b3c9ee4a7e3a44903d40dc023461fb1766fff",
        "cafe468413a7b09395166710b1344db7b8b503b2577677d120623e3af3fe12e3",
        "43f44bfb38f565908f4ed51da7bc6536484b2011c3775e1d7f340a921a2cf75e")]
    public void Build_PublishedModel_HasTheGoldenBytes(string builder, string gradient, string evaluation, string adapter)
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = builder }, 1);
        string[] actual =
        [
            package.Manifest.Gradient.Sha256,
            package.Manifest.Evaluation.Sha256,
            ContentHash.Of(MemoryMarshal.AsBytes(package.InitialAdapter.AsSpan())).Hex,
        ];
        Assert.Equal([gradient, evaluation, adapter], actual);
    }

    [Fact]
    public void Build_OtherSeed_ChangesTheWeightsOnly()
    {
        ModelPackage a = ModelPackage.Build(s_smallMlp, 1);
        ModelPackage b = ModelPackage.Build(s_smallMlp, 2);
        Assert.Equal(a.Manifest.ToBytes(), b.Manifest.ToBytes());
        Assert.NotEqual(a.InitialAdapter, b.InitialAdapter);
    }

    [Fact]
    public void InitialAdapter_He_HasItsVarianceAndZeroBiases()
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp }, 1);
        ParameterSpec weight = package.Manifest.Layout.Parameters[0];
        ParameterSpec bias = package.Manifest.Layout.Parameters[1];
        double variance = package.InitialAdapter.Take(weight.Length).Average(v => (double)v * v);
        Assert.Equal(2.0 / 784, variance, 0.02 * 2.0 / 784);
        Assert.All(package.InitialAdapter[bias.Offset..(bias.Offset + bias.Length)], v => Assert.Equal(0f, v));
    }

    [Fact]
    public void Spec_AsJson_RoundTrips()
    {
        string json = JsonSerializer.Serialize(s_smallCnn, JsonSerializerOptions.Web);
        ModelSpec again = JsonSerializer.Deserialize<ModelSpec>(json, JsonSerializerOptions.Web)!;
        Assert.Equal(ModelPackage.Build(s_smallCnn, 1).Manifest.ToBytes(), ModelPackage.Build(again, 1).Manifest.ToBytes());
    }

    public static TheoryData<ModelSpec, string> Refusals => new()
    {
        { new ModelSpec { Builder = "rnn" }, "model.builder is 'rnn'" },
        { new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 0 }, "model.inputs has the size 0" },
        { new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [200, -1] }, "model.hidden has the size -1" },
        { new ModelSpec { Builder = ModelSpec.Mlp, Classes = 1 }, "model.classes has the size 1" },
        { new ModelSpec { Builder = ModelSpec.Mlp, ImageShape = [1, 28, 28] }, "model.imageShape does not belong to the builder 'mlp'" },
        { new ModelSpec { Builder = ModelSpec.Cnn, Inputs = 784 }, "model.inputs does not belong to the builder 'cnn'" },
        { new ModelSpec { Builder = ModelSpec.Cnn, ImageShape = [28, 28] }, "model.imageShape is [28, 28]" },
        { new ModelSpec { Builder = ModelSpec.Cnn, ImageShape = [1, 3, 28] }, "model.imageShape is [1, 3, 28]" },
        { new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 1 << 20, Hidden = [1 << 20] }, "more than" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Build_BadSpec_NamesKeyAndValue(ModelSpec spec, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => ModelPackage.Build(spec, 1)).Message, StringComparison.Ordinal);

    private static Dictionary<string, Tensor> Feeds(PackageManifest manifest, float[] adapter, int batch)
    {
        SeededGenerator generator = SeededGenerator.For(11, "labels");
        Dictionary<string, Tensor> feeds = new()
        {
            [PackageManifest.FeaturesInput] = GradientCheck.Random([batch, .. manifest.Input.Shape]),
            [PackageManifest.LabelsInput] = Tensor.Make([batch], _ => generator.NextInt(manifest.Labels.Classes!.Value)),
        };
        foreach (ParameterSpec parameter in manifest.Layout.Parameters)
        {
            feeds[parameter.Name] = new Tensor(
                [.. adapter.AsSpan(parameter.Offset, parameter.Length).ToArray().Select(v => (double)v)], [.. parameter.Shape]);
        }

        return feeds;
    }
}
