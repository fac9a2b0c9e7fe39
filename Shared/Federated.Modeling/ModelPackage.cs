using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Modeling.Quantization;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling;

/// <summary>A model ready to be trained anywhere: the manifest and the files it names. The same source and seed give the same bytes.</summary>
/// <param name="Manifest">Names the files by content and describes the parameters.</param>
/// <param name="GradientGraph"><c>gradient.onnx</c>.</param>
/// <param name="EvaluationGraph"><c>evaluation.onnx</c>.</param>
/// <param name="InitialAdapter">The trainable parameters before the first round: [P], P = <c>Manifest.Layout.Length</c>.</param>
public sealed record ModelPackage(PackageManifest Manifest, byte[] GradientGraph, byte[] EvaluationGraph, float[] InitialAdapter)
{
    /// <summary><c>model.onnx</c>: from features and whole trainable weights to scores, without low-rank changes. What exports start from.</summary>
    public byte[] ModelGraph { get; init; } = [];

    /// <summary>The external data of the three graphs; empty when nothing is frozen.</summary>
    public byte[] FrozenWeights { get; init; } = [];

    /// <summary>Builds, differentiates and initializes one of the builders' models.</summary>
    /// <param name="spec">Which model.</param>
    /// <param name="seed">Decides the initial weights; without low-rank changes the graphs do not depend on it.</param>
    /// <param name="baseAdapter">
    /// An adapter of the same model trained as a whole: the frozen weights with low-rank changes, else what training starts from. Drawn from the seed when null.
    /// </param>
    /// <exception cref="ArgumentException">The spec is not valid; the message names the key, the value and what is allowed.</exception>
    public static ModelPackage Build(ModelSpec spec, ulong seed, ReadOnlyMemory<float>? baseAdapter = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Lora is not { } lora)
        {
            if (spec.BaseBits is not null || spec.Trainable is not null)
            {
                (string key, object value) = spec.BaseBits is { } bits ? ("baseBits", (object)bits) : ("trainable", spec.Trainable!);
                throw new ArgumentException($"{key} is {value}, but model.lora is not given: there are no frozen weights.", nameof(spec));
            }

            ModelPackage whole = Author(() => ModelBuilders.Build(spec), () => ModelBuilders.Build(spec), seed);
            return baseAdapter is not { } start
                ? whole
                : start.Length == whole.InitialAdapter.Length
                    ? whole with { InitialAdapter = start.ToArray() }
                    : throw new ArgumentException($"model.base has {start.Length} parameters; this model has {whole.InitialAdapter.Length}.", nameof(baseAdapter));
        }

        ReadOnlyMemory<float> weights = baseAdapter ?? ModelBuilders.Build(spec).InitialAdapter(seed);
        ForwardModel Frozen() => ModelBuilders.Build(spec, weights);
        return Author(
            () =>
            {
                ForwardModel model = Frozen();
                return model with { Parameters = [.. LoraInjection.Apply(model.Graph, lora), .. model.Parameters], Lora = lora };
            },
            Frozen,
            seed,
            spec.BaseBits);
    }

    /// <summary>Turns a model into a package.</summary>
    /// <param name="build">Builds the model anew at each call, always the same.</param>
    /// <param name="buildPlain">The same without low-rank changes.</param>
    /// <param name="seed">Decides the initial weights that are drawn.</param>
    /// <param name="baseBits">8 or 4: frozen matrices are stored in blocks of so many bits; null for float32.</param>
    /// <exception cref="OnnxFormatException">The model cannot be differentiated, or its output does not suit the task.</exception>
    internal static ModelPackage Author(Func<ForwardModel> build, Func<ForwardModel> buildPlain, ulong seed, int? baseBits = null)
    {
        ForwardModel model = build();
        ParameterLayout layout = model.Layout;
        ModelProto gradient = build().ToGradientModel();
        ModelProto evaluation = build().ToEvaluationModel(out PackageLabels labels);
        ModelProto plain = buildPlain().ToScoringModel();
        if (baseBits is { } bits)
        {
            QuantizedBase.Apply(bits, gradient, evaluation, plain);
        }

        byte[] weights = ExternalWeights.MoveOut(gradient, evaluation, plain);
        byte[] gradientGraph = OnnxFile.Write(gradient);
        byte[] evaluationGraph = OnnxFile.Write(evaluation);
        byte[] modelGraph = OnnxFile.Write(plain);
        PackageManifest manifest = new()
        {
            Format = PackageManifest.CurrentFormat,
            Name = model.Name,
            Task = model.Task,
            Inputs =
            [
                new PackageInput(
                    model.Features.Name,
                    model.Features.ElementType == DataType.Int64 ? ElementType.Int64 : ElementType.Float32,
                    [.. model.Features.Shape.Dimensions.Skip(1).Select(d => (int)d.Size)]),
            ],
            Labels = labels,
            Parameters = [.. layout.Parameters.Select((p, i) => new PackageParameter(p.Name, p.Shape, model.Parameters[i].Lora))],
            Lora = model.Lora,
            FullModelParameters = model.FullModelParameters,
            Gradient = PackageFile.Of(gradientGraph),
            Evaluation = PackageFile.Of(evaluationGraph),
            Model = PackageFile.Of(modelGraph),
            FrozenWeights = weights.Length == 0 ? [] : [PackageFile.Of(weights)],
            BaseBits = baseBits,
            Provenance = model.Provenance,
        };
        return new ModelPackage(manifest, gradientGraph, evaluationGraph, model.InitialAdapter(seed)) { ModelGraph = modelGraph, FrozenWeights = weights };
    }
}
