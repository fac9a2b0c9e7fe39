using Federated.Modeling.Lora;
using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Shared.Randomness;
using Federated.Testing;
using Federated.Training.Engine;

namespace Federated.Training.Tests.Engine;

/// <summary>Packages whose adapted weights are inputs: the same model, and merging a product into a weight is the same as carrying it as factors.</summary>
public sealed class MergeablePackageTests
{
    private static readonly PackageLora _lora = new(3, 6, ".*", 1);

    [Theory]
    [InlineData(ModelSpec.Mlp)]
    [InlineData(ModelSpec.Cnn)]
    public void Of_PackageWithFactors_GivesEqualLossAndGradientsOfTheFactors(string builder)
    {
        using TemporaryFolder folder = new();
        ModelPackage package = Build(builder);
        ModelPackage moved = MergeablePackage.Of(package);
        float[] adapter = WithFactors(package);

        (float loss, float[] gradient) = Step(package, adapter, Path.Combine(folder.Path, "plain"));
        (float movedLoss, float[] movedGradient) = Step(moved, [.. adapter, .. moved.InitialAdapter[adapter.Length..]], Path.Combine(folder.Path, "moved"));

        Assert.Equal(loss, movedLoss, 1e-5f);
        for (int i = 0; i < gradient.Length; i++)
        {
            Assert.Equal(gradient[i], movedGradient[i], 1e-4f);
        }

        Assert.All(movedGradient[gradient.Length..], value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(ModelSpec.Mlp)]
    [InlineData(ModelSpec.Cnn)]
    public void Of_ProductMergedIntoTheBase_GivesTheLossOfTheFactors(string builder)
    {
        using TemporaryFolder folder = new();
        ModelPackage package = Build(builder);
        ModelPackage moved = MergeablePackage.Of(package);
        float[] adapter = WithFactors(package);
        float[] merged = [.. adapter, .. moved.InitialAdapter[adapter.Length..]];
        foreach (LoraPair pair in LoraLayout.Of(moved.Manifest).Pairs)
        {
            for (int i = 0; i < pair.ProductLength; i++)
            {
                (int row, int column) = (i / pair.Inputs, i % pair.Inputs);
                double change = Enumerable.Range(0, pair.Rank).Sum(
                    k => (double)pair.Scale * adapter[pair.B.Offset + (row * pair.Rank) + k] * adapter[pair.A.Offset + (k * pair.Inputs) + column]);
                merged[pair.Base!.Offset + (pair.BaseInputsFirst ? (column * pair.Outputs) + row : i)] += (float)change;
            }

            merged.AsSpan(pair.B.Offset, pair.B.Length).Clear();
        }

        float loss = Step(package, adapter, Path.Combine(folder.Path, "plain")).Loss;

        Assert.Equal(loss, Step(moved, merged, Path.Combine(folder.Path, "moved")).Loss, 1e-4f);
        Assert.NotEqual(loss, Step(moved, moved.InitialAdapter, Path.Combine(folder.Path, "moved")).Loss, 1e-3f);
    }

    [Fact]
    public void Of_PackageWithoutFactors_Refuses() =>
        Assert.Throws<ArgumentException>(() => MergeablePackage.Of(ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp }, seed: 1)));

    private static ModelPackage Build(string builder) => ModelPackage.Build(
        builder == ModelSpec.Mlp
            ? new ModelSpec { Builder = builder, Inputs = 12, Hidden = [20], Classes = 4, Lora = _lora }
            : new ModelSpec { Builder = builder, ImageShape = [1, 12, 12], Channels = [4], Hidden = [16], Classes = 4, Lora = _lora },
        seed: 1);

    /// <summary>The initial adapter with B no longer zero.</summary>
    private static float[] WithFactors(ModelPackage package)
    {
        SeededGenerator random = SeededGenerator.For(3, "factors");
        return [.. package.InitialAdapter.Select(value => value + (float)(0.2 * random.NextGaussian()))];
    }

    private static (float Loss, float[] Gradient) Step(ModelPackage package, float[] adapter, string folder)
    {
        PackageFolder.Write(package, folder);
        using OnnxModel model = OnnxModel.Load(
            package.Manifest, GraphSource.FromFile(Path.Combine(folder, PackageFolder.GradientFile)), GraphSource.None, new OnnxEngineOptions());
        using IModelWorkspace workspace = model.CreateWorkspace();
        adapter.CopyTo(workspace.Adapter);
        SeededGenerator random = SeededGenerator.For(4, "examples");
        float[][] features = [.. Enumerable.Range(0, 6).Select(_ => Enumerable.Range(0, package.Manifest.FeatureLength).Select(_ => (float)random.NextDouble()).ToArray())];
        ArrayExamples examples = new(features, [0, 1, 2, 3, 0, 1]);
        float loss = workspace.LossAndGradient(examples, [0, 1, 2, 3, 4, 5]);
        return (loss, workspace.Gradient.ToArray());
    }
}
