using Federated.Modeling.Exports;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Gradients;
using Federated.Modeling.Tests.Reference;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Lora;

public sealed class LoraInjectionTests
{
    private static readonly ModelSpec s_mlp = new() { Builder = ModelSpec.Mlp, Inputs = 6, Hidden = [5], Classes = 3 };
    private static readonly ModelSpec s_cnn = new() { Builder = ModelSpec.Cnn, ImageShape = [2, 8, 8], Channels = [3], Hidden = [4], Classes = 3 };

    public static TheoryData<ModelSpec> Models => [s_mlp, s_cnn, s_mlp with { Trainable = "bias" }, s_cnn with { Trainable = "conv1|bias" }];

    [Fact]
    public void Build_RankTwoOnDenseLayers_ListsFactorsInPeftsShapes()
    {
        ModelPackage package = ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, "dense", 7) }, 1);

        Assert.Equal(
            [
                new PackageParameter("dense1.lora_A.weight", [2, 6], new LoraFactor("dense1", LoraMatrix.A, 2, 2)),
                new PackageParameter("dense1.lora_B.weight", [5, 2], new LoraFactor("dense1", LoraMatrix.B, 2, 2)),
                new PackageParameter("dense2.lora_A.weight", [2, 5], new LoraFactor("dense2", LoraMatrix.A, 2, 2)),
                new PackageParameter("dense2.lora_B.weight", [3, 2], new LoraFactor("dense2", LoraMatrix.B, 2, 2)),
            ],
            package.Manifest.Parameters.Select(p => p with { Shape = [.. p.Shape] }),
            (a, b) => a.Name == b.Name && a.Lora == b.Lora && a.Shape.SequenceEqual(b.Shape));
        Assert.Equal((6 * 5) + 5 + (5 * 3) + 3, package.Manifest.FullModelParameters);
        Assert.Equal(package.Manifest.ToBytes(), PackageManifest.FromBytes(package.Manifest.ToBytes()).ToBytes());
    }

    // Merged into the one weight, a change of the output layer would be one of the embedding too.
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Build_OutputLayerOfADecoder_IsAdaptedWhenItsWeightIsItsOwn(bool tied, bool adapted)
    {
        ModelPackage package = ModelPackage.Build(
            new ModelSpec
            {
                Builder = ModelSpec.Gpt,
                GptSizes = new GptSpec { Context = 8, Width = 32, Layers = 1, Heads = 2, KeyValueHeads = 1, FeedForward = 16, TiedEmbedding = tied },
                Lora = new PackageLora(2, 4, ".*", 1),
            },
            1);
        string[] layers = [.. package.Manifest.Parameters.Select(p => p.Lora!.Target).Distinct()];
        Assert.Equal(adapted, layers.Any(layer => layer.Contains("lm_head", StringComparison.Ordinal)));
        Assert.DoesNotContain(layers, layer => layer.Contains("embed", StringComparison.Ordinal));
        Assert.Contains("model.layers.0.self_attn.q_proj", layers);
    }

    // B is zero: whatever A is, the adapted model is the frozen one.
    [Theory]
    [MemberData(nameof(Models))]
    public void Evaluation_InitialAdapter_IsTheFrozenModel(ModelSpec spec)
    {
        ModelPackage whole = ModelPackage.Build(spec.AsWhole(), 5);
        ModelPackage adapted = ModelPackage.Build(spec with { Lora = new PackageLora(2, 3, ".*", 1) }, 5);
        Dictionary<string, Tensor> batch = Batch(spec, 4);

        double expected = Run(whole, whole.EvaluationGraph, whole.InitialAdapter, batch)["loss"].Values[0];
        double actual = Run(adapted, adapted.EvaluationGraph, adapted.InitialAdapter, batch)["loss"].Values[0];

        Assert.Equal(expected, actual, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradient_RandomFactors_MatchesDifferences(ModelSpec spec)
    {
        const float Step = 1e-3f;
        ModelPackage package = ModelPackage.Build(spec with { Lora = new PackageLora(2, 3, ".*", 1) }, 5);
        float[] adapter = RandomAdapter(package);
        Dictionary<string, Tensor> batch = Batch(spec, 4);
        IReadOnlyDictionary<string, Tensor> outputs = Run(package, package.GradientGraph, adapter, batch);
        foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
        {
            Tensor gradient = outputs[$"gradient/{parameter.Name}"];
            int element = parameter.Length / 2;
            double difference = (LossAt(Step) - LossAt(-Step)) / (2 * Step);
            Assert.Equal(difference, gradient.Values[element], 2e-3);

            double LossAt(float step)
            {
                float[] moved = [.. adapter];
                moved[parameter.Offset + element] += step;
                return Run(package, package.EvaluationGraph, moved, batch)["loss"].Values[0];
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Merged_RandomFactors_GivesTheLossOfBaseAndAdapter(ModelSpec spec)
    {
        ModelPackage package = ModelPackage.Build(spec with { Lora = new PackageLora(2, 3, ".*", 1) }, 5);
        float[] adapter = RandomAdapter(package);
        Dictionary<string, Tensor> batch = Batch(spec, 4);

        Dictionary<string, Tensor> features = new() { ["features"] = batch["features"] };
        Tensor scores = OnnxRuntimeRun.Run(MergedModel.Build(package, adapter), features)["scores"];
        Tensor plain = OnnxRuntimeRun.Run(MergedModel.Build(package, package.InitialAdapter), features)["scores"];

        double loss = Run(package, package.EvaluationGraph, adapter, batch)["loss"].Values[0];
        Assert.Equal(loss, CrossEntropy(scores, batch["labels"]), 1e-5);
        Assert.NotEqual(loss, CrossEntropy(plain, batch["labels"]), 1e-3);
    }

    // The loss of one example with each label in turn is the negative logarithm of each probability: the scores but for a number that all classes share.
    [Theory]
    [MemberData(nameof(Models))]
    public void Merged_RandomFactors_GivesTheScoresOfBaseAndAdapter(ModelSpec spec)
    {
        ModelPackage package = ModelPackage.Build(spec with { Lora = new PackageLora(2, 3, ".*", 1) }, 5);
        float[] adapter = RandomAdapter(package);
        Dictionary<string, Tensor> batch = Batch(spec, 1);
        float[] scores = [.. OnnxRuntimeRun.Run(MergedModel.Build(package, adapter), new Dictionary<string, Tensor> { ["features"] = batch["features"] })["scores"].Values.Select(v => (float)v)];
        double total = Math.Log(scores.Sum(s => Math.Exp(s)));

        for (int label = 0; label < scores.Length; label++)
        {
            batch["labels"] = batch["labels"] with { Values = [label] };
            Assert.Equal(scores[label] - total, -Run(package, package.EvaluationGraph, adapter, batch)["loss"].Values[0], 1e-5);
        }
    }

    [Fact]
    public void Build_SameSeedOfTheFactors_DrawsTheSameA()
    {
        ModelPackage a = ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, ".*", 7) }, 1);
        ModelPackage b = ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, ".*", 7) }, 2);
        ModelPackage c = ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, ".*", 8) }, 1);

        Assert.Equal(a.InitialAdapter, b.InitialAdapter);
        Assert.NotEqual(a.InitialAdapter, c.InitialAdapter);
        Assert.NotEqual(a.Manifest.Gradient, b.Manifest.Gradient);
    }

    [Fact]
    public void Build_BaseAdapterGiven_FreezesItsWeights()
    {
        ModelPackage whole = ModelPackage.Build(s_mlp, 9);
        ModelPackage adapted = ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, ".*", 7) }, 1, whole.InitialAdapter);
        Dictionary<string, Tensor> batch = Batch(s_mlp, 4);

        Assert.Equal(
            Run(whole, whole.EvaluationGraph, whole.InitialAdapter, batch)["loss"].Values[0],
            Run(adapted, adapted.EvaluationGraph, adapted.InitialAdapter, batch)["loss"].Values[0],
            1e-6);
        Assert.Contains("model.base has 3 parameters", Assert.Throws<ArgumentException>(
            () => ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, ".*", 7) }, 1, new float[3])).Message, StringComparison.Ordinal);
    }

    // As copied blocks and copied experts begin: what is equal today is not one layer.
    [Fact]
    public void Build_LayersOfEqualWeights_HaveFactorsOfTheirOwn()
    {
        ModelSpec spec = new() { Builder = ModelSpec.Mlp, Inputs = 4, Hidden = [4, 4], Classes = 4, Lora = new PackageLora(2, 4, "dense", 7) };
        ModelPackage package = ModelPackage.Build(spec, 1, new float[3 * ((4 * 4) + 4)]);

        Assert.Equal(["dense1", "dense1", "dense2", "dense2", "dense3", "dense3"], package.Manifest.Parameters.Select(p => p.Lora!.Target));
        Assert.Equal(
            ["dense1.weight", "dense2.weight", "dense3.weight"],
            MergeablePackage.Of(package).Manifest.Parameters.Where(p => p.Lora!.Factor == LoraMatrix.Base).Select(p => p.Name));
    }

    [Fact]
    public void Build_WeightsBesideTheFactors_StartFromTheBase()
    {
        float[] weights = [.. Enumerable.Range(0, 53).Select(i => (float)i)];
        ModelPackage package = ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, "dense1", 7), Trainable = "dense2" }, 1, weights);

        Assert.Equal(
            ["dense1.lora_A.weight", "dense1.lora_B.weight", "dense2.weight", "dense2.bias"], package.Manifest.Parameters.Select(p => p.Name));
        Assert.Equal(weights[35..], package.InitialAdapter[^18..]);
        Assert.Equal(53, package.Manifest.FullModelParameters);
    }

    [Theory]
    [InlineData("(", "no regular expression")]
    [InlineData("attention", "trainable is 'attention', which matches no weight. Weights are dense1.weight, dense1.bias")]
    public void Build_BadNamesBesideTheFactors_AreRefused(string trainable, string message) => Assert.Contains(
        message,
        Assert.Throws<ArgumentException>(() => ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, "dense", 1), Trainable = trainable }, 1)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Build_TrainableWithoutFactors_IsRefused() => Assert.Contains(
        "model.lora is not given", Assert.Throws<ArgumentException>(() => ModelPackage.Build(s_mlp with { Trainable = "bias" }, 1)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 1.0, ".*", "lora.rank is 0")]
    [InlineData(2, 0.0, ".*", "lora.alpha 0")]
    [InlineData(2, 1.0, "(", "no regular expression")]
    [InlineData(2, 1.0, "attention", "matches no layer that can be adapted. Layers are dense1, dense2")]
    public void Build_BadSettings_NamesThem(int rank, double alpha, string targets, string message) => Assert.Contains(
        message,
        Assert.Throws<ArgumentException>(() => ModelPackage.Build(s_mlp with { Lora = new PackageLora(rank, alpha, targets, 1) }, 1)).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("rank=8,alpha=16,targets=q_proj|v_proj,seed=3", 8, 16, "q_proj|v_proj", 3)]
    [InlineData("targets=a,b,rank=4", 4, 8, "a,b", 1)]
    [InlineData("rank=4", 4, 8, ".*", 1)]
    public void Parse_Text_GivesTheSettings(string text, int rank, double alpha, string targets, ulong seed) =>
        Assert.Equal(new PackageLora(rank, alpha, targets, seed), LoraText.Parse(text));

    [Theory]
    [InlineData("alpha=16")]
    [InlineData("rank=8,rank=4")]
    [InlineData("rank=8,alpha=much")]
    [InlineData("rank=8;alpha=16")]
    [InlineData("depth=3,rank=8")]
    public void Parse_Wrong_IsRefused(string text) => Assert.Throws<FormatException>(() => LoraText.Parse(text));

    [Theory]
    [InlineData("rank=2,foo=1,targets=.*", "'foo=1' is none of the keys")]
    [InlineData("targets=.*", "rank is missing")]
    [InlineData("rank=two", "rank is 'two', no whole number")]
    public void Parse_Wrong_NamesWhatIsWrong(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => LoraText.Parse(text)).Message, StringComparison.Ordinal);

    private static float[] RandomAdapter(ModelPackage package)
    {
        SeededGenerator generator = SeededGenerator.For(3, "factors");
        return [.. package.InitialAdapter.Select(_ => (float)generator.NextGaussian() * 0.3f)];
    }

    private static Dictionary<string, Tensor> Batch(ModelSpec spec, int count)
    {
        SeededGenerator generator = SeededGenerator.For(11, "labels");
        return new Dictionary<string, Tensor>
        {
            ["features"] = GradientCheck.Random([count, .. spec.ImageShape ?? [spec.Inputs!.Value]]),
            ["labels"] = Tensor.Make([count], _ => generator.NextInt(spec.Classes)),
        };
    }

    /// <summary>Runs a graph with its external weights put back.</summary>
    private static IReadOnlyDictionary<string, Tensor> Run(ModelPackage package, byte[] graph, float[] adapter, Dictionary<string, Tensor> batch)
    {
        ModelProto model = OnnxFile.Read(graph);
        ExternalWeights.Embed(model, _ => package.FrozenWeights);
        Dictionary<string, Tensor> feeds = new(batch);
        foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
        {
            feeds[parameter.Name] = new Tensor([.. adapter.Skip(parameter.Offset).Take(parameter.Length).Select(v => (double)v)], [.. parameter.Shape]);
        }

        return OnnxRuntimeRun.Run(OnnxFile.Write(model), feeds);
    }

    private static double CrossEntropy(Tensor scores, Tensor labels)
    {
        int classes = scores.Values.Length / labels.Values.Length;
        return labels.Values.Select((label, n) =>
        {
            double[] row = scores.Values[(n * classes)..((n + 1) * classes)];
            return Math.Log(row.Sum(Math.Exp)) - row[(int)label];
        }).Average();
    }
}
