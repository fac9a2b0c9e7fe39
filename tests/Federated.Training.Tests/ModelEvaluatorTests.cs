namespace Federated.Training.Tests;

public sealed class ModelEvaluatorTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // w = 0.25, labels 0 and 1 in turn: residuals 0.25 and -0.75.
    [Theory]
    [InlineData(1)]
    [InlineData(499)]
    [InlineData(500)]
    [InlineData(501)]
    [InlineData(2345)]
    public async Task EvaluateAsync_AnyCount_LooksAtEveryExampleOnce(int count)
    {
        EvaluationSum sum = await ModelEvaluator.EvaluateAsync(new LeastSquaresModel(1), new float[] { 0.25f }, ArrayExamples.Ones(count), 2, Token);
        int even = (count + 1) / 2;
        Assert.Equal(new EvaluationSum(count, count, (even * 0.03125) + ((count - even) * 0.28125), even), sum);
    }

    [Fact]
    public async Task EvaluateAsync_AnyParallelism_GivesTheSameBits()
    {
        LeastSquaresModel model = new(1);
        ArrayExamples examples = ArrayExamples.Ones(7777);
        float[] adapter = [0.1234567f];
        EvaluationSum one = await ModelEvaluator.EvaluateAsync(model, adapter, examples, 1, Token);
        EvaluationSum five = await ModelEvaluator.EvaluateAsync(model, adapter, examples, 5, Token);
        Assert.Equal(one, five);
        Assert.Equal(model.Created, model.Freed);
    }

    [Fact]
    public async Task EvaluateAsync_NoExamples_GivesAnEmptySum() =>
        Assert.Equal(default, await ModelEvaluator.EvaluateAsync(new LeastSquaresModel(1), new float[1], ArrayExamples.Ones(0), 2, Token));

    [Fact]
    public async Task EvaluateAsync_AdapterOfAnotherModel_IsRefused()
    {
        ArgumentException refusal = await Assert.ThrowsAsync<ArgumentException>(
            () => ModelEvaluator.EvaluateAsync(new LeastSquaresModel(1), new float[3], ArrayExamples.Ones(5), 1, Token));
        Assert.Contains("has 3 parameters, model 'least-squares' has 1", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EvaluateAsync_Cancelled_Stops()
    {
        using CancellationTokenSource source = new();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => ModelEvaluator.EvaluateAsync(new LeastSquaresModel(1), new float[1], ArrayExamples.Ones(5), 1, source.Token));
    }
}
