using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;

namespace Federated.Training.Tests;

public sealed class LocalTrainerTests
{
    private static SeededGenerator Shuffle(ulong seed = 1) => SeededGenerator.For(seed, "shuffle");

    [Fact]
    public void Train_OneExample_FollowsHandComputedValues()
    {
        // x = 1, label 1, w = 3: residuals 2, 1, 0.5 at rate 0.5; losses 2, 0.5, 0.125.
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        ArrayExamples examples = new([[1]], [1]);
        LocalTrainingResult result = LocalTrainer.Train(
            workspace, examples, [3], new LocalTrainingPlan { Epochs = 3, LearningRate = 0.5 }, Shuffle(), TestContext.Current.CancellationToken);
        Assert.Equal(1.25f, workspace.Adapter[0]);
        Assert.Equal(new LocalTrainingResult(3, 1, 2.625 / 3), result);
    }

    [Fact]
    public void Train_ProximalTerm_PullsTowardsTheStart()
    {
        // As above with mu = 1: the first step is the same (w = w_t); then g = 1 + (2 - 3) = 0 and w stays 2.
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        LocalTrainingPlan plan = new() { Epochs = 3, LearningRate = 0.5, ProximalMu = 1 };
        LocalTrainer.Train(workspace, new ArrayExamples([[1]], [1]), [3], plan, Shuffle(), TestContext.Current.CancellationToken);
        Assert.Equal(2f, workspace.Adapter[0]);
    }

    [Theory]
    [InlineData(LocalOptimizer.Sgd)]
    [InlineData(LocalOptimizer.Momentum)]
    [InlineData(LocalOptimizer.AdamW)]
    public void Train_SomeRangesAlone_LeavesTheRestAndStepsThoseAsIfTheyWereAll(LocalOptimizer rule)
    {
        // Features beyond the first pull on parameters that are frozen at 0, so the trained ones see the same problem with and without them.
        using LeastSquaresWorkspace all = new(new LeastSquaresModel(2), 2);
        using LeastSquaresWorkspace some = new(new LeastSquaresModel(5), 5);
        LocalTrainingPlan plan = new() { Epochs = 4, LearningRate = 0.05, Optimizer = rule, WeightDecay = 0.1, ProximalMu = 0.3 };
        LocalTrainer.Train(all, new ArrayExamples([[1, 2]], [1]), [3, -1], plan, Shuffle(), TestContext.Current.CancellationToken);

        LocalTrainer.Train(
            some,
            new ArrayExamples([[5, 1, 7, 2, 4]], [1]),
            [0, 3, 0, -1, 0],
            plan,
            Shuffle(),
            TestContext.Current.CancellationToken,
            [new TrainedRange(1, 1), new TrainedRange(3, 1)]);

        Assert.Equal([0, all.Adapter[0], 0, all.Adapter[1], 0], some.Adapter.ToArray());
        Assert.NotEqual(3f, all.Adapter[0]);
    }

    [Fact]
    public void TrainedRanges_OfRoles_JoinNeighboursAndLeaveOutFrozenTensors() => Assert.Equal(
        [new TrainedRange(0, 5), new TrainedRange(9, 1)],
        TrainedRange.Of(
            ParameterLayout.Of([("a", [2]), ("b", [3]), ("c", [4]), ("d", [1])]),
            [ParameterRole.Sent, ParameterRole.Kept, ParameterRole.Frozen, ParameterRole.Sent]));

    [Fact]
    public void Train_Epochs_VisitEveryExampleOnceInAFreshOrder()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        LocalTrainingResult result = LocalTrainer.Train(
            workspace,
            ArrayExamples.Ones(25),
            [0],
            new LocalTrainingPlan { Epochs = 2, BatchSize = 10 },
            Shuffle(),
            TestContext.Current.CancellationToken);
        Assert.Equal([10, 10, 5, 10, 10, 5], workspace.Batches.Select(b => b.Length));
        int[] first = [.. workspace.Batches.Take(3).SelectMany(b => b)];
        int[] second = [.. workspace.Batches.Skip(3).SelectMany(b => b)];
        Assert.Equal(Enumerable.Range(0, 25), first.Order());
        Assert.Equal(Enumerable.Range(0, 25), second.Order());
        Assert.NotEqual(first, second);
        Assert.NotEqual(Enumerable.Range(0, 25), first);
        Assert.Equal((6, 25), (result.Steps, result.Examples));
    }

    [Theory]
    [InlineData(0, new[] { 25 })]
    [InlineData(100, new[] { 25 })]
    [InlineData(25, new[] { 25 })]
    [InlineData(24, new[] { 24, 1 })]
    public void Train_BatchSize_CutsTheEpoch(int batchSize, int[] expected)
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        LocalTrainer.Train(
            workspace, ArrayExamples.Ones(25), [0], new LocalTrainingPlan { BatchSize = batchSize }, Shuffle(), TestContext.Current.CancellationToken);
        Assert.Equal(expected, workspace.Batches.Select(b => b.Length));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 4)]
    [InlineData(6, 6)]
    [InlineData(7, 6)]
    public void Train_MaxSteps_EndsInTheMiddleOfAnEpoch(int maxSteps, int expected)
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        LocalTrainingPlan plan = new() { Epochs = 2, BatchSize = 10, MaxSteps = maxSteps };
        LocalTrainingResult result = LocalTrainer.Train(
            workspace, ArrayExamples.Ones(25), [0], plan, Shuffle(), TestContext.Current.CancellationToken);
        Assert.Equal((expected, expected), (result.Steps, workspace.Batches.Count));
        Assert.True(double.IsFinite(result.MeanLoss));
    }

    [Fact]
    public void Train_StateOfAnEarlierClient_DoesNotLeak()
    {
        // Rented arrays come back dirty; the second run must begin with zero momentum.
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        LocalTrainingPlan plan = new() { Epochs = 4, BatchSize = 3, Optimizer = LocalOptimizer.AdamW };
        LocalTrainer.Train(workspace, ArrayExamples.Ones(25), [0.3f], plan, Shuffle(), TestContext.Current.CancellationToken);
        float first = workspace.Adapter[0];
        LocalTrainer.Train(workspace, ArrayExamples.Ones(25), [0.3f], plan, Shuffle(), TestContext.Current.CancellationToken);
        Assert.Equal(first, workspace.Adapter[0]);
    }

    [Fact]
    public void Train_NanLoss_StopsAndSaysSo()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1) { NanFromStep = 2 };
        LocalTrainingResult result = LocalTrainer.Train(
            workspace, ArrayExamples.Ones(25), [0], new LocalTrainingPlan(), Shuffle(), TestContext.Current.CancellationToken);
        Assert.True(result.Diverged);
        Assert.Equal(2, result.Steps);
    }

    [Fact]
    public void Train_ExplodingRate_IsReportedAsDiverged()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        LocalTrainingPlan plan = new() { Epochs = 100, LearningRate = 1e6 };
        LocalTrainingResult result = LocalTrainer.Train(
            workspace, ArrayExamples.Ones(25), [3], plan, Shuffle(), TestContext.Current.CancellationToken);
        Assert.True(result.Diverged);
        Assert.True(result.Steps < 300);
    }

    [Fact]
    public void Train_CancelledBetweenSteps_Stops()
    {
        using CancellationTokenSource source = new();
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1) { BeforeStep = source.Cancel };
        Assert.Throws<OperationCanceledException>(
            () => LocalTrainer.Train(workspace, ArrayExamples.Ones(25), [0], new LocalTrainingPlan(), Shuffle(), source.Token));
        Assert.Single(workspace.Batches);
    }

    [Fact]
    public void Train_StartOfAnotherModel_IsRefused()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        ArgumentException refusal = Assert.Throws<ArgumentException>(
            () => LocalTrainer.Train(workspace, ArrayExamples.Ones(5), [1, 2], new LocalTrainingPlan(), Shuffle(), CancellationToken.None));
        Assert.Contains("has 2 parameters, the model has 1", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_NoExamples_IsRefused()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        ArgumentException refusal = Assert.Throws<ArgumentException>(
            () => LocalTrainer.Train(workspace, ArrayExamples.Ones(0), [1], new LocalTrainingPlan(), Shuffle(), CancellationToken.None));
        Assert.Contains("no examples", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_ImpossiblePlan_LeavesTheAdapterAlone()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        workspace.Adapter[0] = 7;
        Assert.Throws<ArgumentException>(
            () => LocalTrainer.Train(
                workspace, ArrayExamples.Ones(5), [1], new LocalTrainingPlan { Epochs = 0 }, Shuffle(), CancellationToken.None));
        Assert.Equal(7f, workspace.Adapter[0]);
    }
}
