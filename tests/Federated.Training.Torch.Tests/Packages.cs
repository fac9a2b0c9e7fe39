using Federated.Modeling;
using Federated.Modeling.Onnx;

namespace Federated.Training.Torch.Tests;

/// <summary>The packages the tests train: the published models, and one of each kind small enough to look at.</summary>
internal static class Packages
{
    public static ModelPackage Of(string name, ulong seed = 1) => ModelPackage.Build(
        name switch
        {
            "mlp" => new ModelSpec { Builder = ModelSpec.Mlp },
            "cnn" => new ModelSpec { Builder = ModelSpec.Cnn },
            "small-mlp" => new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 12, Hidden = [9, 7], Classes = 4 },
            "small-cnn" => new ModelSpec { Builder = ModelSpec.Cnn, ImageShape = [2, 12, 8], Channels = [3, 4], Hidden = [6], Classes = 5 },
            _ => throw new ArgumentException($"There is no package '{name}'.", nameof(name)),
        },
        seed);

    /// <summary>Loads a package into torch.</summary>
    public static TorchModel Torch(ModelPackage package) => TorchModel.Load(package.Manifest, package.EvaluationGraph, new TorchEngineOptions());

    /// <summary>The evaluation graph with something changed.</summary>
    public static byte[] Changed(ModelPackage package, Action<ModelProto> change)
    {
        ModelProto model = OnnxFile.Read(package.EvaluationGraph);
        change(model);
        return OnnxFile.Write(model);
    }
}
