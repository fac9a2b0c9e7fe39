using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Training.Engine;

namespace Federated.Training.Torch.Tests;

/// <summary>
/// Symbolic gradient graphs in ONNX Runtime against automatic differentiation in torch: two implementations that share the forward graph's
/// file and nothing else.
/// </summary>
public sealed class EngineAgreementTests
{
    private const double LossTolerance = 1e-5;
    private const double GradientTolerance = 1e-4;

    [Theory]
    [InlineData("small-mlp", 1, 1)]
    [InlineData("small-mlp", 2, 7)]
    [InlineData("small-mlp", 3, 32)]
    [InlineData("small-cnn", 1, 1)]
    [InlineData("small-cnn", 2, 7)]
    [InlineData("small-cnn", 3, 32)]
    [InlineData("mlp", 4, 10)]
    [InlineData("cnn", 5, 10)]
    public void LossAndGradient_BothEngines_Agree(string name, ulong seed, int batch)
    {
        ModelPackage package = Packages.Of(name, seed);
        using EnginePair engines = new(package);
        (IModelWorkspace torchSpace, IModelWorkspace onnxSpace) = (engines.Torch, engines.Onnx);
        RandomExamples examples = new(batch, package.Manifest.FeatureLength, package.Manifest.Labels.Classes!.Value, seed);
        int[] indices = [.. Enumerable.Range(0, batch)];

        float torchLoss = torchSpace.LossAndGradient(examples, indices);
        float onnxLoss = onnxSpace.LossAndGradient(examples, indices);

        Assert.Equal(onnxLoss, torchLoss, LossTolerance * Math.Abs(onnxLoss));
        foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
        {
            double error = RelativeDistance(
                torchSpace.Gradient.Slice(parameter.Offset, parameter.Length), onnxSpace.Gradient.Slice(parameter.Offset, parameter.Length));
            if (error >= GradientTolerance)
            {
                double nearby = DistanceNearby(package, examples, indices, parameter);
                Assert.True(error <= 4 * nearby, $"The gradient of {parameter.Name} differs by {error:g3} of its norm; the exact one changes by {nearby:g3} nearby.");
            }
        }
    }

    [Theory]
    [InlineData("small-mlp")]
    [InlineData("small-cnn")]
    public void Evaluate_BothEngines_Agree(string name)
    {
        ModelPackage package = Packages.Of(name);
        using EnginePair engines = new(package);
        (IModelWorkspace torchSpace, IModelWorkspace onnxSpace) = (engines.Torch, engines.Onnx);
        RandomExamples examples = new(200, package.Manifest.FeatureLength, package.Manifest.Labels.Classes!.Value, 3);
        int[] indices = [.. Enumerable.Range(0, 200)];

        EvaluationSum expected = onnxSpace.Evaluate(examples, indices);
        EvaluationSum actual = torchSpace.Evaluate(examples, indices);

        Assert.Equal(200, actual.Examples);
        Assert.Equal(expected.Score, actual.Score);
        Assert.InRange(actual.Score, 1, 199);
        Assert.Equal(expected.LossSum, actual.LossSum, LossTolerance * expected.LossSum);
    }

    [Theory]
    [InlineData("small-mlp")]
    [InlineData("small-cnn")]
    public void Score_BothEngines_AgreeAndGiveTheLoss(string name)
    {
        const int count = 40;
        ModelPackage package = Packages.Of(name);
        int classes = package.Manifest.Labels.Classes!.Value;
        using EnginePair engines = new(package);
        (IModelWorkspace torchSpace, IModelWorkspace onnxSpace) = (engines.Torch, engines.Onnx);
        RandomExamples examples = new(count, package.Manifest.FeatureLength, classes, 3);
        int[] indices = [.. Enumerable.Range(0, count)];
        float[] expected = new float[count * classes];
        float[] actual = new float[count * classes];

        onnxSpace.Score(examples, indices, expected);
        torchSpace.Score(examples, indices, actual);

        Assert.True(RelativeDistance(actual, expected) < LossTolerance);
        long[] labels = new long[count];
        examples.CopyTo(indices, new ExampleBatch(new float[count * package.Manifest.FeatureLength], labels));
        double loss = expected.Chunk(classes).Select((scores, i) => Math.Log(scores.Sum(score => Math.Exp(score))) - scores[labels[i]]).Sum();
        Assert.Equal(onnxSpace.Evaluate(examples, indices).LossSum, loss, LossTolerance * loss);
    }

    [Theory]
    [InlineData("mlp", 0.1f)]
    [InlineData("small-cnn", 0.1f)]
    public void Training_FiftySteps_GivesTheSameLossCurve(string name, float learningRate)
    {
        ModelPackage package = Packages.Of(name);
        using TorchModel torch = Packages.Torch(package);
        using OnnxModel onnx = LoadOnnx(package);

        double[] expected = Train(onnx, package, learningRate);
        double[] actual = Train(torch, package, learningRate);

        for (int step = 0; step < expected.Length; step++)
        {
            Assert.True(
                Math.Abs(expected[step] - actual[step]) < 1e-3 * expected[step],
                $"Step {step}: ONNX Runtime has loss {expected[step]}, torch {actual[step]}.");
        }

        Assert.True(actual[^10..].Average() < 0.9 * actual[..10].Average(), "Fifty steps taught the model nothing.");
    }

    private static double[] Train(ITrainableModel model, ModelPackage package, float learningRate)
    {
        const int batch = 10;
        RandomExamples examples = new(10 * batch, package.Manifest.FeatureLength, package.Manifest.Labels.Classes!.Value, 11);
        using IModelWorkspace workspace = model.CreateWorkspace();
        package.InitialAdapter.CopyTo(workspace.Adapter);
        double[] losses = new double[50];
        for (int step = 0; step < losses.Length; step++)
        {
            losses[step] = workspace.LossAndGradient(examples, [.. Enumerable.Range(step % 10 * batch, batch)]);
            Span<float> adapter = workspace.Adapter;
            ReadOnlySpan<float> gradient = workspace.Gradient;
            for (int i = 0; i < adapter.Length; i++)
            {
                adapter[i] -= learningRate * gradient[i];
            }
        }

        return losses;
    }

    /// <summary>
    /// How far the exact gradient of a parameter moves when the examples do by a few roundings. What one processor rounds to one side of a kink another may round to
    /// the other side, in one of the engines.
    /// </summary>
    private static double DistanceNearby(ModelPackage package, RandomExamples examples, int[] indices, ParameterSpec parameter)
    {
        using Float64Reference exact = new(package);
        float[] adapter = [.. package.InitialAdapter];
        float[] gradient = Slice(exact.LossAndGradient(adapter, examples, indices).Gradient);
        return exact.GradientsNearby(adapter, examples, indices).Max(moved => RelativeDistance(Slice(moved), gradient));

        float[] Slice(double[] all) => [.. all.AsSpan(parameter.Offset, parameter.Length).ToArray().Select(value => (float)value)];
    }

    private static OnnxModel LoadOnnx(ModelPackage package) =>
        OnnxModel.Load(package.Manifest, package.GradientGraph, package.EvaluationGraph, new OnnxEngineOptions());

    private static double RelativeDistance(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double d = (double)actual[i] - expected[i];
            difference += d * d;
            norm += (double)expected[i] * expected[i];
        }

        return Math.Sqrt(difference / norm);
    }

    /// <summary>A workspace of each engine, at the package's first adapter.</summary>
    private sealed class EnginePair : IDisposable
    {
        private readonly TorchModel _torch;
        private readonly OnnxModel _onnx;

        public EnginePair(ModelPackage package)
        {
            _torch = Packages.Torch(package);
            _onnx = LoadOnnx(package);
            Torch = _torch.CreateWorkspace();
            Onnx = _onnx.CreateWorkspace();
            package.InitialAdapter.CopyTo(Torch.Adapter);
            package.InitialAdapter.CopyTo(Onnx.Adapter);
        }

        public IModelWorkspace Torch { get; }

        public IModelWorkspace Onnx { get; }

        public void Dispose()
        {
            Torch.Dispose();
            Onnx.Dispose();
            _torch.Dispose();
            _onnx.Dispose();
        }
    }
}
