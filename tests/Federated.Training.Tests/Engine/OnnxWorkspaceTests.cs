using Federated.Training.Data;
using Federated.Training.Engine;

namespace Federated.Training.Tests.Engine;

public sealed class OnnxWorkspaceTests
{
    private static readonly Lazy<OnnxModel> Model = new(Packages.Mlp.Open);

    [Fact]
    public void LossAndGradient_SameBatchAfterOtherSizes_GivesTheSameBits()
    {
        using IModelWorkspace workspace = Create();
        int[] batch = [.. Enumerable.Range(100, 10)];
        float loss = workspace.LossAndGradient(Mnist.Train, batch);
        float[] gradient = workspace.Gradient.ToArray();
        Assert.Contains(gradient, g => g != 0);

        // A larger batch replaces the staging buffers, a smaller one uses part of them; more sizes than are kept clear the rest.
        for (int size = 1; size <= 70; size++)
        {
            workspace.LossAndGradient(Mnist.Train, [.. Enumerable.Range(0, size)]);
        }

        Assert.Equal(loss, workspace.LossAndGradient(Mnist.Train, batch));
        Assert.Equal(gradient, workspace.Gradient.ToArray());
    }

    [Fact]
    public void LossAndGradient_BatchOfTwo_IsTheMeanOfItsExamples()
    {
        using IModelWorkspace workspace = Create();
        float first = workspace.LossAndGradient(Mnist.Train, [5]);
        float[] firstGradient = workspace.Gradient.ToArray();
        float second = workspace.LossAndGradient(Mnist.Train, [6]);
        float[] secondGradient = workspace.Gradient.ToArray();
        Assert.Equal((first + second) / 2, workspace.LossAndGradient(Mnist.Train, [5, 6]), 1e-5);
        for (int i = 0; i < firstGradient.Length; i++)
        {
            Assert.Equal((firstGradient[i] + secondGradient[i]) / 2, workspace.Gradient[i], 1e-5);
        }
    }

    [Fact]
    public void LossAndGradient_SmallStepAlongTheGradient_LowersTheLossAsPredicted()
    {
        using IModelWorkspace workspace = Create();
        int[] batch = [.. Enumerable.Range(0, 50)];
        float before = workspace.LossAndGradient(Mnist.Train, batch);
        double squaredNorm = 0;
        const float Step = 1e-3f;
        for (int i = 0; i < workspace.Adapter.Length; i++)
        {
            float g = workspace.Gradient[i];
            squaredNorm += (double)g * g;
            workspace.Adapter[i] -= Step * g;
        }

        float after = workspace.LossAndGradient(Mnist.Train, batch);
        Assert.Equal(Step * squaredNorm, before - after, 0.05 * Step * squaredNorm);
    }

    [Fact]
    public void LossAndGradient_SecondStepOfASize_AllocatesNothing()
    {
        using IModelWorkspace workspace = Create();
        ExampleSubset examples = new(Mnist.Train, [.. Enumerable.Range(0, 100)]);
        int[] batch = [1, 5, 9];
        for (int i = 0; i < 50; i++)
        {
            workspace.LossAndGradient(examples, batch);
            workspace.Evaluate(examples, batch);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        workspace.LossAndGradient(examples, batch);
        workspace.Evaluate(examples, batch);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Evaluate_Batch_AgreesWithTheGradientGraphsLoss()
    {
        using IModelWorkspace workspace = Create();
        int[] batch = [.. Enumerable.Range(0, 20)];
        float loss = workspace.LossAndGradient(Mnist.Test, batch);
        EvaluationSum sum = workspace.Evaluate(Mnist.Test, batch);
        Assert.Equal(20, sum.Examples);
        Assert.Equal(loss, sum.MeanLoss, 1e-5);
        Assert.InRange(sum.Score, 0, 20);
        Assert.Equal(Math.Round(sum.Score), sum.Score);
    }

    [Fact]
    public void LossAndGradient_ConvolutionalModel_BeginsNearChance()
    {
        // Images go in as [N, 1, 28, 28]; an untrained model knows nothing: loss = ln 10.
        using OnnxModel model = Packages.Cnn.Open();
        using IModelWorkspace workspace = model.CreateWorkspace();
        Packages.Cnn.Initial.CopyTo(workspace.Adapter);
        int[] batch = [.. Enumerable.Range(0, 10)];
        float loss = workspace.LossAndGradient(Mnist.Train, batch);
        Assert.InRange(loss, 2.0, 2.7);
        Assert.Equal(loss, workspace.Evaluate(Mnist.Train, batch).MeanLoss, 1e-5);
    }

    [Fact]
    public void LossAndGradient_TwoWorkspacesAtOnce_DoNotDisturbEachOther()
    {
        float[] expected = Gradient(0);
        float[] other = Gradient(1);
        Assert.NotEqual(expected, other);
        Parallel.For(0, 40, i => Assert.Equal(i % 2 == 0 ? expected : other, Gradient(i % 2)));

        static float[] Gradient(int part)
        {
            using IModelWorkspace workspace = Create();
            workspace.LossAndGradient(Mnist.Train, [.. Enumerable.Range(part * 10, 10)]);
            return workspace.Gradient.ToArray();
        }
    }

    [Fact]
    public void LossAndGradient_LabelBeyondTheClasses_NamesExampleAndRange()
    {
        using IModelWorkspace workspace = Create();
        IdxExamples examples = new(new byte[2 * 784], [3, 10], [784]);
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => workspace.LossAndGradient(examples, [0, 1]));
        Assert.Contains("Example 1 has label 10", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("0 to 9", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LossAndGradient_NegativeLabel_IsRefused()
    {
        using IModelWorkspace workspace = Create();
        ArrayExamples examples = new([new float[784]], [-1]);
        Assert.Contains("label -1", Assert.Throws<InvalidDataException>(() => workspace.LossAndGradient(examples, [0])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LossAndGradient_ExamplesOfAnotherShape_NamesBothLengths()
    {
        using IModelWorkspace workspace = Create();
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => workspace.LossAndGradient(ArrayExamples.Ones(2), [0]));
        Assert.Contains("1 float32 features", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("784", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LossAndGradient_EmptyBatch_IsRefused()
    {
        using IModelWorkspace workspace = Create();
        Assert.Throws<ArgumentException>(() => workspace.LossAndGradient(Mnist.Train, []));
    }

    [Fact]
    public void Evaluate_AfterDispose_IsRefused()
    {
        IModelWorkspace workspace = Create();
        workspace.Dispose();
        workspace.Dispose();
        Assert.Throws<ObjectDisposedException>(() => workspace.Evaluate(Mnist.Test, [0]));
    }

    private static IModelWorkspace Create()
    {
        IModelWorkspace workspace = Model.Value.CreateWorkspace();
        Packages.Mlp.Initial.CopyTo(workspace.Adapter);
        return workspace;
    }
}
