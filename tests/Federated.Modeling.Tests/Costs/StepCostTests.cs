using Federated.Modeling.Costs;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;

namespace Federated.Modeling.Tests.Costs;

/// <summary>Operations counted by hand against those that are read off the graphs.</summary>
public sealed class StepCostTests
{
    private const int Batch = 10;

    // A layer's product, its weights' gradient, and, but for the first layer, its input's gradient.
    [Fact]
    public void Of_Perceptron_CountsItsProducts()
    {
        StepCost cost = StepCost.Of(ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp }, 1), Batch);

        double products = 2.0 * Batch * ((2 * 784 * 200) + (3 * 200 * 200) + (3 * 200 * 10));

        // Biases and what stands between the products.
        Assert.InRange(cost.Flops, products, 1.01 * products);
    }

    [Fact]
    public void Of_ConvolutionalNetwork_CountsItsProducts()
    {
        StepCost cost = StepCost.Of(ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Cnn }, 1), Batch);

        double first = 28.0 * 28 * 32 * 25;
        double second = 14.0 * 14 * 64 * 32 * 25;
        double products = 2 * Batch * ((2 * first) + (3 * second) + (3.0 * 3136 * 512) + (3.0 * 512 * 10));
        Assert.InRange(cost.Flops, 0.98 * products, 1.03 * products);
    }

    // Frozen layers have no gradient of their weights: forward and back, and the factors' products, which are small.
    [Fact]
    public void Of_DecoderWithFactors_CountsItsProducts()
    {
        GptSpec sizes = new() { Context = 64, Width = 96, Layers = 4, Heads = 4, KeyValueHeads = 2, FeedForward = 256 };
        const int Rank = 8;

        StepCost cost = StepCost.Of(ModelPackage.Build(
            new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = sizes, Lora = new PackageLora(Rank, 16, "_proj", 1) }, 1), Batch);

        double rows = Batch * 64.0;
        (int Outputs, int Inputs)[] layers = [(96, 96), (48, 96), (48, 96), (96, 96), (256, 96), (256, 96), (96, 256)];
        double dense = layers.Sum(l => 2.0 * l.Outputs * l.Inputs);
        double factors = layers.Sum(l => 3.0 * Rank * (l.Outputs + l.Inputs));

        // Two products of 64 × 64 scores over 24 numbers a head, each with two gradients.
        double attention = 6.0 * 4 * 64 * 64 * 24 * Batch;
        double products = 2 * ((4 * rows * (dense + factors)) + (4 * attention) + (2 * rows * 96 * 256));
        Assert.InRange(cost.ProductFlops, 0.95 * products, 1.05 * products);
        Assert.InRange(cost.Flops, cost.ProductFlops, 1.1 * cost.ProductFlops);
    }

    [Fact]
    public void Of_TwiceTheBatch_TwiceTheWorkAndTheSameWeights()
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Vit, Lora = new PackageLora(2, 4, "layers", 1) }, 1);

        StepCost once = StepCost.Of(package, 8);
        StepCost twice = StepCost.Of(package, 16);

        Assert.Equal(2, twice.ProductFlops / once.ProductFlops, 0.01);
        Assert.Equal(2, twice.ActivationBytes / once.ActivationBytes, 0.1);
        Assert.Equal(once.FrozenBytes, twice.FrozenBytes);
        Assert.Equal(once.Nodes, twice.Nodes);
    }

    [Fact]
    public void Of_QuantizedBase_HoldsLessAndDoesTheSameProducts()
    {
        ModelSpec spec = new() { Builder = ModelSpec.Mlp, Hidden = [512, 512], Lora = new PackageLora(4, 8, "dense", 1) };

        StepCost whole = StepCost.Of(ModelPackage.Build(spec, 1), Batch);
        StepCost small = StepCost.Of(ModelPackage.Build(spec with { BaseBits = 8 }, 1), Batch);

        Assert.Equal(whole.ProductFlops, small.ProductFlops);
        Assert.True(small.Flops > whole.Flops);
        Assert.True(small.BytesMoved > whole.BytesMoved);
        Assert.True(small.FrozenBytes < whole.FrozenBytes, $"{small.FrozenBytes} and {whole.FrozenBytes}");
    }

    // One hidden layer of ten units: the loss's few values and the layer's live together at most.
    [Fact]
    public void Of_SmallPerceptron_HoldsItsLayers()
    {
        StepCost cost = StepCost.Of(ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 6, Hidden = [1000], Classes = 2 }, 1), 1);

        // The layer before and after the ReLU, and its gradient.
        Assert.InRange(cost.ActivationBytes, 2 * 4000, 4 * 4000);
    }
}
