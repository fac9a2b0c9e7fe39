using Federated.Modeling.Onnx;
using Federated.Shared.Models;

namespace Federated.Modeling;

/// <summary>A model ready to be trained anywhere: the manifest and the files it names. The same spec and seed give the same bytes.</summary>
/// <param name="Manifest">Names the files by content and describes the parameters.</param>
/// <param name="GradientGraph"><c>gradient.onnx</c>.</param>
/// <param name="EvaluationGraph"><c>evaluation.onnx</c>.</param>
/// <param name="InitialAdapter">The trainable parameters before the first round: [P], P = <c>Manifest.Layout.Length</c>.</param>
public sealed record ModelPackage(PackageManifest Manifest, byte[] GradientGraph, byte[] EvaluationGraph, float[] InitialAdapter)
{
    /// <summary>Builds, differentiates and initializes a model.</summary>
    /// <param name="spec">Which model.</param>
    /// <param name="seed">Decides the initial weights; the graphs do not depend on it.</param>
    /// <exception cref="ArgumentException">The spec is not valid; the message names the key, the value and what is allowed.</exception>
    public static ModelPackage Build(ModelSpec spec, ulong seed)
    {
        ForwardModel model = ModelBuilders.Build(spec);
        byte[] gradient = OnnxFile.Write(ModelBuilders.Build(spec).ToGradientModel());
        byte[] evaluation = OnnxFile.Write(ModelBuilders.Build(spec).ToEvaluationModel());
        ParameterLayout layout = model.Layout;
        PackageManifest manifest = new()
        {
            Format = PackageManifest.CurrentFormat,
            Name = model.Name,
            Task = ModelTask.Classification,
            FeatureShape = model.FeatureShape,
            Classes = model.Classes,
            Parameters = [.. layout.Parameters.Select(p => new PackageParameter(p.Name, p.Shape))],
            FullModelParameters = layout.Length,
            Gradient = FileOf(gradient),
            Evaluation = FileOf(evaluation),
        };
        return new ModelPackage(manifest, gradient, evaluation, model.InitialAdapter(seed));
    }

    private static PackageFile FileOf(byte[] content) => new(ContentHash.Of(content).Hex, content.LongLength);
}
