using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Shared.Protocol;

namespace Federated.Shared.Models;

/// <summary>
/// <c>package.json</c>: what a client needs to know to train a model it has never seen. The graphs take the batch's features under the name
/// that <see cref="Input"/> states, its labels as <c>labels</c>, and one input per parameter. <c>gradient.onnx</c> gives <c>loss</c> (mean over
/// what the batch counts, float32 scalar) and <c>gradient/NAME</c> for each parameter; <c>evaluation.onnx</c> gives <c>loss</c> and <c>score</c>
/// (float32 scalar, a sum over what the batch counts: right answers, absolute errors or cosine similarities, as the task has it), and <c>scores</c>. Both refer
/// to <see cref="FrozenWeights"/> as external data, by hash.
/// </summary>
public sealed record PackageManifest
{
    /// <summary>The version this code writes and reads.</summary>
    public const int CurrentFormat = 2;

    /// <summary>The name the model builders give the input of features.</summary>
    public const string FeaturesInput = "features";

    /// <summary>Graph input that takes the batch's labels.</summary>
    public const string LabelsInput = "labels";

    /// <summary>Graph output: mean loss.</summary>
    public const string LossOutput = "loss";

    /// <summary>Output of the evaluation graph: the sum that quality is the mean of.</summary>
    public const string ScoreOutput = "score";

    /// <summary>
    /// Output of the evaluation graph and of <c>model.onnx</c>: what the model says of each example, [N, labels…] and for classes one more dimension of unnormalized log-probabilities.
    /// Evaluation graphs of packages that were made before it existed lack it.
    /// </summary>
    public const string ScoresOutput = "scores";

    /// <summary>Prefix of the gradient outputs.</summary>
    public const string GradientPrefix = "gradient/";

    /// <summary>Format version of the manifest.</summary>
    public required int Format { get; init; }

    /// <summary>A name for people, for example <c>mlp-784-200-200-10</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The task.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>The inputs of features; this software takes exactly one.</summary>
    public required IReadOnlyList<PackageInput> Inputs { get; init; }

    /// <summary>The labels.</summary>
    public required PackageLabels Labels { get; init; }

    /// <summary>Trainable tensors in layout order.</summary>
    public required IReadOnlyList<PackageParameter> Parameters
    {
        get;
        init
        {
            field = value;

            // A copy made by 'with' carries the original's cached layout over.
            _layout = null;
        }
    }

    /// <summary>What the adapters were made with; null when whole weights are trained.</summary>
    public PackageLora? Lora { get; init; }

    /// <summary>Parameters of the full model, frozen ones included: the baseline of "upload the whole model".</summary>
    public required long FullModelParameters { get; init; }

    /// <summary>Loss and gradients.</summary>
    public required PackageFile Gradient { get; init; }

    /// <summary>Loss and score.</summary>
    public required PackageFile Evaluation { get; init; }

    /// <summary>
    /// <c>model.onnx</c>: from the features, whole trainable weights and weights that a job merges into to <c>scores</c>, without low-rank changes; what
    /// exports start from. Null for a package without graphs.
    /// </summary>
    public PackageFile? Model { get; init; }

    /// <summary>The adapter document that jobs start from; null when each job draws its own from its seed.</summary>
    public PackageFile? Adapter { get; init; }

    /// <summary>Files with the weights that training leaves alone. The graphs name each as external data by its hash; none when all are trained.</summary>
    public IReadOnlyList<PackageFile> FrozenWeights { get; init; } = [];

    /// <summary>8 or 4: the bits of a frozen weight of a matrix. Null: frozen weights are float32.</summary>
    public int? BaseBits { get; init; }

    /// <summary>Where the model came from; null for one of the builders.</summary>
    public PackageProvenance? Provenance { get; init; }

    /// <summary>The flat layout of <see cref="Parameters"/>.</summary>
    [JsonIgnore]
    public ParameterLayout Layout => _layout ??= ParameterLayout.Of(Parameters.Select(p => (p.Name, p.Shape)));

    private ParameterLayout? _layout;

    /// <summary>The input of features.</summary>
    [JsonIgnore]
    public PackageInput Input => Inputs[0];

    /// <summary>Elements of one example's features: the product of its shape.</summary>
    [JsonIgnore]
    public int FeatureLength => Product(Input.Shape);

    /// <summary>Elements of one example's label: the product of its shape.</summary>
    [JsonIgnore]
    public int LabelLength => Product(Labels.Shape);

    /// <summary>Elements of one example's scores: one for each element of its label, or for each class of each.</summary>
    [JsonIgnore]
    public int ScoresLength => checked(LabelLength * (Labels.Classes ?? 1));

    /// <summary>Encodes as UTF-8 JSON; the same manifest always gives the same bytes.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJsonContext.Default.PackageManifest);

    /// <summary>Reads and checks a manifest.</summary>
    /// <exception cref="ProtocolViolationException"><see cref="ErrorCode.MalformedDocument"/> or <see cref="ErrorCode.UnsupportedVersion"/>.</exception>
    public static PackageManifest FromBytes(ReadOnlySpan<byte> utf8)
    {
        try
        {
            // The format comes first: what another format looks like is not for this software to judge.
            int format = JsonSerializer.Deserialize(utf8, ManifestJsonContext.Default.ManifestFormat)?.Format ?? throw Malformed("it has no format");
            if (format != CurrentFormat)
            {
                throw new ProtocolViolationException(
                    ErrorCode.UnsupportedVersion,
                    $"The package manifest has format {format}; this software reads {CurrentFormat}. "
                    + (format < CurrentFormat ? "Build the package again." : "Update this software."));
            }

            PackageManifest manifest = JsonSerializer.Deserialize(utf8, ManifestJsonContext.Default.PackageManifest)!;
            return ManifestRules.FindProblem(manifest) is { } problem ? throw Malformed(problem) : manifest;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or OverflowException or InvalidOperationException or NullReferenceException)
        {
            throw Malformed(e.Message, e);
        }
    }

    // Asked at every step of training: no enumerator.
    private static int Product(IReadOnlyList<int> shape)
    {
        int product = 1;
        for (int i = 0; i < shape.Count; i++)
        {
            product = checked(product * shape[i]);
        }

        return product;
    }

    private static ProtocolViolationException Malformed(string what, Exception? inner = null) =>
        new(ErrorCode.MalformedDocument, $"The package manifest cannot be read: {what}.", inner);
}

/// <summary>The one key that every format of the manifest has.</summary>
internal sealed record ManifestFormat(int? Format);

[JsonSerializable(typeof(ManifestFormat))]
[JsonSerializable(typeof(PackageManifest))]
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
