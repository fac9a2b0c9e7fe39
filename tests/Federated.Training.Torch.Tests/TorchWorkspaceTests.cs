using Federated.Modeling;
using TorchSharp;

namespace Federated.Training.Torch.Tests;

public sealed class TorchWorkspaceTests : IDisposable
{
    private readonly ModelPackage _package = Packages.Of("small-cnn");
    private readonly TorchModel _model;
    private readonly RandomExamples _examples;

    public TorchWorkspaceTests()
    {
        _model = Packages.Torch(_package);
        _examples = new RandomExamples(64, _package.Manifest.FeatureLength, _package.Manifest.Labels.Classes!.Value, 5);
    }

    public void Dispose() => _model.Dispose();

    [Fact]
    public void LossAndGradient_Twice_DoesNotAddUp()
    {
        using IModelWorkspace workspace = Workspace();
        float first = workspace.LossAndGradient(_examples, [0, 1, 2]);
        float[] gradient = workspace.Gradient.ToArray();

        float second = workspace.LossAndGradient(_examples, [0, 1, 2]);

        Assert.Equal(first, second);
        Assert.Equal(gradient, workspace.Gradient.ToArray());
        Assert.Contains(gradient, g => g != 0);
    }

    [Fact]
    public void LossAndGradient_AnotherBatchSizeBetween_ChangesNothing()
    {
        using IModelWorkspace workspace = Workspace();
        float first = workspace.LossAndGradient(_examples, [0, 1, 2]);
        float[] gradient = workspace.Gradient.ToArray();
        _ = workspace.LossAndGradient(_examples, [7, 8, 9, 10, 11]);
        _ = workspace.Evaluate(_examples, [3]);

        Assert.Equal(first, workspace.LossAndGradient(_examples, [0, 1, 2]));
        Assert.Equal(gradient, workspace.Gradient.ToArray());
    }

    [Fact]
    public void LossAndGradient_AdapterChanged_SeesTheNewValues()
    {
        using IModelWorkspace workspace = Workspace();
        workspace.Adapter.Clear();

        // All scores are equal: the loss is the logarithm of the number of classes.
        Assert.Equal(Math.Log(_package.Manifest.Labels.Classes!.Value), workspace.LossAndGradient(_examples, [0, 1, 2]), 1e-6);
    }

    [Fact]
    public void Workspace_MadeInsideADisposeScope_OutlivesIt()
    {
        IModelWorkspace workspace;
        using (DisposeScope scope = torch.NewDisposeScope())
        {
            workspace = Workspace();
            _ = workspace.LossAndGradient(_examples, [0]);
        }

        using (workspace)
        {
            Assert.True(float.IsFinite(workspace.LossAndGradient(_examples, [0])));
        }
    }

    [Fact]
    public async Task LossAndGradient_ManyThreads_EachGetsItsOwnResult()
    {
        float[] expected = new float[8];
        using (IModelWorkspace workspace = Workspace())
        {
            for (int i = 0; i < expected.Length; i++)
            {
                expected[i] = workspace.LossAndGradient(_examples, [8 * i, (8 * i) + 1]) + workspace.Gradient[0];
            }
        }

        float[] actual = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            using IModelWorkspace workspace = Workspace();
            float result = 0;
            for (int repeat = 0; repeat < 20; repeat++)
            {
                result = workspace.LossAndGradient(_examples, [8 * i, (8 * i) + 1]) + workspace.Gradient[0];
            }

            return result;
        })));

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void LossAndGradient_EmptyBatch_IsRefused()
    {
        using IModelWorkspace workspace = Workspace();
        ArgumentException e = Assert.Throws<ArgumentException>(() => workspace.LossAndGradient(_examples, []));
        Assert.Contains("at least one example", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_ExamplesOfAnotherLength_AreRefused()
    {
        using IModelWorkspace workspace = Workspace();
        ArgumentException e = Assert.Throws<ArgumentException>(() => workspace.Evaluate(new RandomExamples(2, 12, 5, 1), [0]));
        Assert.Contains("12 float32 features", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    public void LossAndGradient_LabelOutOfRange_IsRefusedAndTheWorkspaceStillWorks(long label)
    {
        using IModelWorkspace workspace = Workspace();
        RandomExamples examples = new(2, _package.Manifest.FeatureLength, _package.Manifest.Labels.Classes!.Value, 1);
        examples.SetLabel(1, label);

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => workspace.LossAndGradient(examples, [0, 1]));

        Assert.Contains($"label {label}", e.Message, StringComparison.Ordinal);
        Assert.True(float.IsFinite(workspace.LossAndGradient(_examples, [0, 1])));
    }

    private IModelWorkspace Workspace()
    {
        IModelWorkspace workspace = _model.CreateWorkspace();
        _package.InitialAdapter.CopyTo(workspace.Adapter);
        return workspace;
    }
}
