using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Seeds;

namespace Federated.Training.Tests;

public sealed class ZerothOrderTrainerTests
{
    private static SeededGenerator Randomness => SeededGenerator.For(1, "shuffle");

    [Fact]
    public void Train_OneParameter_FollowsHandComputedValues()
    {
        // x = 1, label 1, w = 3. Of a parabola the slope between two points is the gradient in the middle, and with one parameter a step along ±1
        // is a step of SGD: residuals 2, 1, 0.5 at rate 0.5.
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        float[] amounts = new float[1];

        LocalTrainingResult result = Train(workspace, new ArrayExamples([[1]], [1]), [3], new(7, 1, 1), amounts, new() { Epochs = 3, LearningRate = 0.5 });

        Assert.Equal(1.25f, workspace.Adapter[0], 1e-3f);
        Assert.Equal(1.75f, Math.Abs(amounts[0]), 1e-3f);
        Assert.Equal((3, 1), (result.Steps, result.Examples));
    }

    [Fact]
    public void Train_Amounts_ReplayToTheTrainedAdapter()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(5), 5);
        SeededDirections directions = new(3, 8, 5);
        float[] start = [1, -2, 0.5f, 3, 0];
        float[] amounts = new float[8];

        Train(workspace, new ArrayExamples([[1, 2, 0, -1, 1], [0, 1, 1, 2, -3]], [1, 0]), start, directions, amounts, new() { Epochs = 40, LearningRate = 0.01 });

        float[] replayed = [.. start];
        directions.Replay(amounts, 1, replayed);
        Assert.All(replayed.Zip(workspace.Adapter.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
        Assert.NotEqual(start, replayed);
    }

    [Fact]
    public void Train_SomeRangesAlone_LeavesTheRest()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(5), 5);
        float[] amounts = new float[4];

        ZerothOrderTrainer.Train(
            workspace,
            new ArrayExamples([[5, 1, 7, 2, 4]], [1]),
            [9, 3, 8, -1, 7],
            new LocalTrainingPlan { Epochs = 10, LearningRate = 1e-3 },
            new SeededDirections(3, 4, 2),
            1e-2,
            Randomness,
            amounts,
            [new TrainedRange(1, 1), new TrainedRange(3, 1)],
            TestContext.Current.CancellationToken);

        Assert.Equal([9, 8, 7], new[] { workspace.Adapter[0], workspace.Adapter[2], workspace.Adapter[4] });
        Assert.NotEqual(3f, workspace.Adapter[1]);
    }

    [Fact]
    public void Train_ThreeParameters_BringsTheLossDown()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(3), 3);
        ArrayExamples examples = new([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [1, 0, 1]);
        float[] start = [4, -3, 2];
        start.CopyTo(workspace.Adapter);
        double before = workspace.Evaluate(examples, [0, 1, 2]).MeanLoss;

        Train(workspace, examples, start, new(11, 16, 3), new float[16], new() { Epochs = 200, BatchSize = 0, LearningRate = 0.1 });

        double after = workspace.Evaluate(examples, [0, 1, 2]).MeanLoss;
        Assert.InRange(after, 0, before / 10);
    }

    [Fact]
    public void Train_LossIsNoNumber_StopsAndSaysSo()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);

        LocalTrainingResult result = Train(workspace, new ArrayExamples([[1]], [1]), [float.NaN], new(7, 1, 1), new float[1], new() { Epochs = 5 });

        Assert.True(result.Diverged);
        Assert.Equal(1, result.Steps);
    }

    [Fact]
    public void Train_MostSteps_EndsThere()
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        LocalTrainingPlan plan = new() { Epochs = 5, MaxSteps = 2, LearningRate = 1e-3 };
        Assert.Equal(2, Train(workspace, new ArrayExamples([[1]], [1]), [3], new(7, 1, 1), new float[1], plan).Steps);
    }

    [Theory]
    [InlineData(2, 1, 1, 1)]
    [InlineData(1, 2, 1, 1)]
    [InlineData(1, 1, 2, 1)]
    [InlineData(1, 1, 1, 0)]
    public void Train_WrongLengths_IsRefused(int start, int directionLength, int amounts, int examples)
    {
        using LeastSquaresWorkspace workspace = new(new LeastSquaresModel(1), 1);
        ArrayExamples data = new([.. Enumerable.Repeat(new float[] { 1 }, examples)], [.. Enumerable.Repeat(1L, examples)]);
        Assert.ThrowsAny<ArgumentException>(
            () => Train(workspace, data, new float[start], new(7, 1, directionLength), new float[amounts], new LocalTrainingPlan()));
    }

    private static LocalTrainingResult Train(
        LeastSquaresWorkspace workspace, ArrayExamples examples, float[] start, SeededDirections directions, float[] amounts, LocalTrainingPlan plan) =>
        ZerothOrderTrainer.Train(
            workspace, examples, start, plan, directions, 1e-2, Randomness, amounts, [], TestContext.Current.CancellationToken);
}
