using BenchmarkDotNet.Attributes;
using Federated.Modeling;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Training;
using Federated.Training.Data;
using Federated.Training.Engine;

namespace Federated.Benchmarks;

/// <summary>
/// Time of one training step, B = 10, plain gradient descent, through <see cref="LocalTrainer"/> and in a plain loop of the same engine.
/// A client has 600 examples, as in McMahan et al. 2017; the examples are those of the shipped MNIST files.
/// </summary>
[InProcess]
[MemoryDiagnoser]
public class TrainingStepBenchmark
{
    private const int Steps = 60;
    private const int Examples = 600;

    private readonly LocalTrainingPlan _plan = new() { BatchSize = Examples / Steps, LearningRate = 0.01 };
    private readonly SeededGenerator _shuffle = SeededGenerator.For(1, "shuffle");
    private ModelPackage _package = null!;
    private OnnxModel _model = null!;
    private IModelWorkspace _workspace = null!;
    private ExampleSubset _examples = null!;
    private PlainLoop _plain = null!;

    /// <summary>The model.</summary>
    [Params(ModelSpec.Mlp, ModelSpec.Cnn)]
    public string Model { get; set; } = ModelSpec.Mlp;

    /// <summary>Builds both sides.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _package = ModelPackage.Build(new ModelSpec { Builder = Model }, seed: 1);
        _model = OnnxModel.Load(_package.Manifest, _package.GradientGraph, _package.EvaluationGraph, new OnnxEngineOptions());
        _workspace = _model.CreateWorkspace();
        IdxExamples all = MnistFiles.LoadTest();
        _examples = new ExampleSubset(all, [.. Enumerable.Range(0, Examples)]);
        float[] features = new float[Examples * all.FeatureLength];
        long[] labels = new long[Examples];
        _examples.CopyTo([.. Enumerable.Range(0, Examples)], features, labels);
        _plain = new PlainLoop(_package, features, labels);
    }

    /// <summary>Frees both sides.</summary>
    [GlobalCleanup]
    public void CleanUp()
    {
        _plain.Dispose();
        _workspace.Dispose();
        _model.Dispose();
    }

    /// <summary>The yardstick.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Steps)]
    public double PlainLoop() => _plain.Epoch(_shuffle, (float)_plan.LearningRate);

    /// <summary>The platform.</summary>
    [Benchmark(OperationsPerInvoke = Steps)]
    public double LocalTrainer() => Federated.Training.LocalTrainer
        .Train(_workspace, _examples, _package.InitialAdapter, _plan, _shuffle, CancellationToken.None).MeanLoss;
}
