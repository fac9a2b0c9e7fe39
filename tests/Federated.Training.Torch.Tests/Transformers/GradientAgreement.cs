using System.Numerics.Tensors;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Shared.Models;
using Federated.Training.Engine;

namespace Federated.Training.Torch.Tests.Transformers;

/// <summary>A package's gradient graph in ONNX Runtime against torch's automatic differentiation of its evaluation graph.</summary>
internal static class GradientAgreement
{
    private const double LossTolerance = 1e-5;
    private const double GradientTolerance = 1e-4;
    private const int Batch = 4;

    /// <summary>Compares loss and the gradient of every tensor at an adapter.</summary>
    public static void Check(ModelPackage package, float[] adapter)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-gradient-");
        try
        {
            PackageFolder.Write(package, folder.FullName);
            GraphSource gradient = GraphSource.FromFile(Path.Combine(folder.FullName, PackageFolder.GradientFile));
            GraphSource evaluation = GraphSource.FromFile(Path.Combine(folder.FullName, PackageFolder.EvaluationFile));
            using TorchModel torch = TorchModel.Load(package.Manifest, evaluation, new TorchEngineOptions());
            using OnnxModel onnx = OnnxModel.Load(package.Manifest, gradient, evaluation, new OnnxEngineOptions());
            using IModelWorkspace torchSpace = torch.CreateWorkspace();
            using IModelWorkspace onnxSpace = onnx.CreateWorkspace();
            adapter.CopyTo(torchSpace.Adapter);
            adapter.CopyTo(onnxSpace.Adapter);
            SyntheticExamples examples = new(package.Manifest, Batch, 5);
            int[] indices = [.. Enumerable.Range(0, Batch)];

            float torchLoss = torchSpace.LossAndGradient(examples, indices);
            float onnxLoss = onnxSpace.LossAndGradient(examples, indices);

            Assert.Equal(onnxLoss, torchLoss, LossTolerance * Math.Abs(onnxLoss));
            foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
            {
                ReadOnlySpan<float> expected = torchSpace.Gradient.Slice(parameter.Offset, parameter.Length);
                ReadOnlySpan<float> actual = onnxSpace.Gradient.Slice(parameter.Offset, parameter.Length);
                double error = TensorPrimitives.Distance(expected, actual) / Math.Max(TensorPrimitives.Norm(expected), 1e-6);
                Assert.True(error < GradientTolerance, $"The gradient of {parameter.Name} differs by {error:g3} of its norm.");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
