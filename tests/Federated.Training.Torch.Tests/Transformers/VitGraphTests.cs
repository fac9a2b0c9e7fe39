using Federated.Modeling;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;

namespace Federated.Training.Torch.Tests.Transformers;

/// <summary>The vision transformer's gradients in both engines.</summary>
public sealed class VitGraphTests
{
    private static readonly VitSpec _small = new() { ImageShape = [2, 8, 12], Patch = 4, Width = 12, Layers = 2, Heads = 3, FeedForward = 20, Classes = 5 };

    [Fact]
    public void Gradient_OfABuiltTransformer_IsThatOfTorch()
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Vit, VitSizes = _small }, seed: 3);
        GradientAgreement.Check(package, package.InitialAdapter);
    }

    [Fact]
    public void Gradient_OfLowRankChanges_IsThatOfTorch()
    {
        ModelSpec spec = new() { Builder = ModelSpec.Vit, VitSizes = _small, Lora = new PackageLora(2, 4, "attention", 5) };
        ModelPackage package = ModelPackage.Build(spec, seed: 3);
        Assert.Equal(16, package.Manifest.Parameters.Count);
        float[] adapter = [.. package.InitialAdapter.Select((value, i) => value + (0.01f * (i % 7)))];
        GradientAgreement.Check(package, adapter);
    }

    [Theory]
    [InlineData(5, 3, "model.vit.patch is 5")]
    [InlineData(4, 5, "model.vit.heads is 5")]
    public void Build_SizesThatDoNotFit_NamesKeyAndValue(int patch, int heads, string expected)
    {
        ModelSpec spec = new() { Builder = ModelSpec.Vit, VitSizes = _small with { Patch = patch, Heads = heads } };
        Assert.StartsWith(expected, Assert.Throws<ArgumentException>(() => ModelBuilders.Build(spec)).Message, StringComparison.Ordinal);
    }
}
