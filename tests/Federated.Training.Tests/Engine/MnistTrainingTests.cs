using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Training.Data;
using Federated.Training.Engine;

namespace Federated.Training.Tests.Engine;

public sealed class MnistTrainingTests
{
    private static readonly LocalTrainingPlan Plan = new() { Epochs = 1, BatchSize = 10, LearningRate = 0.1 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Train_MlpOnSixThousandDigits_ReachesEightyFivePercent()
    {
        using OnnxModel model = Packages.Mlp.Open();
        (float[] adapter, LocalTrainingResult result) = Train(model, seed: 7);
        Assert.Equal((600, 6000), (result.Steps, result.Examples));
        ExampleSubset heldOut = new(Mnist.Test, [.. Enumerable.Range(0, 1000)]);
        EvaluationSum sum = await ModelEvaluator.EvaluateAsync(model, adapter, heldOut, 2, Token);
        Assert.Equal(1000, sum.Examples);
        Assert.True(sum.Quality > 0.85, $"accuracy {sum.Quality}, training loss {result.MeanLoss}");
    }

    [Fact]
    public void Train_SameSeedTwice_GivesTheSameBits()
    {
        using OnnxModel model = Packages.Mlp.Open();
        using OnnxModel again = Packages.Mlp.Open();
        (float[] first, LocalTrainingResult firstResult) = Train(model, seed: 7, examples: 1005);
        (float[] second, LocalTrainingResult secondResult) = Train(again, seed: 7, examples: 1005);
        (float[] other, _) = Train(model, seed: 8, examples: 1005);
        Assert.Equal(first, second);
        Assert.Equal(firstResult, secondResult);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public async Task EvaluateAsync_OneOrTwoWorkspaces_GivesTheSameBits()
    {
        using OnnxModel model = Packages.Mlp.Open();
        EvaluationSum one = await ModelEvaluator.EvaluateAsync(model, Packages.Mlp.Initial, Mnist.Test, 1, Token);
        EvaluationSum two = await ModelEvaluator.EvaluateAsync(model, Packages.Mlp.Initial, Mnist.Test, 2, Token);
        Assert.Equal(10_000, one.Examples);
        Assert.Equal(one, two);
    }

    [Fact]
    public void Train_SecondClient_AllocatesNoMoreThanItsOrder()
    {
        // State and order (800 bytes of it) come from pools: what remains is the rule, the result, and what code that is not optimized yet
        // allocates at a step, some twenty bytes.
        using OnnxModel model = Packages.Mlp.Open();
        using IModelWorkspace workspace = model.CreateWorkspace();
        ExampleSubset examples = new(Mnist.Train, [.. Enumerable.Range(0, 200)]);
        SeededGenerator shuffle = SeededGenerator.For(1, "shuffle");
        for (int i = 0; i < 5; i++)
        {
            LocalTrainer.Train(workspace, examples, Packages.Mlp.Initial, Plan, shuffle, Token);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        LocalTrainer.Train(workspace, examples, Packages.Mlp.Initial, Plan, shuffle, Token);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 700);
    }

    private static (float[] Adapter, LocalTrainingResult Result) Train(OnnxModel model, ulong seed, int examples = 6000)
    {
        using IModelWorkspace workspace = model.CreateWorkspace();
        ExampleSubset subset = new(Mnist.Train, [.. Enumerable.Range(0, examples)]);
        LocalTrainingResult result = LocalTrainer.Train(
            workspace, subset, Packages.Mlp.Initial, Plan, SeededGenerator.For(seed, "shuffle"), Token);
        return (workspace.Adapter.ToArray(), result);
    }
}
