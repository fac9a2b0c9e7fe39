using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Shared.Protocol;

namespace Federated.Shared.Models;

/// <summary>What a model is asked to do, which decides its labels and its quality measure.</summary>
public enum ModelTask
{
    /// <summary>One label of <c>classes</c> an example; quality is accuracy.</summary>
    Classification,
}

/// <summary>A file of the package, named by its content.</summary>
/// <param name="Sha256">64 hexadecimal characters.</param>
/// <param name="LengthBytes">Its size.</param>
public sealed record PackageFile(string Sha256, long LengthBytes);

/// <summary>A trainable tensor as the manifest lists it.</summary>
public sealed record PackageParameter(string Name, IReadOnlyList<int> Shape);

/// <summary>
/// <c>package.json</c>: what a client needs to know to train a model it has never seen. The graphs take
/// <c>features</c> float32 [N, <see cref="FeatureShape"/>…], <c>labels</c> int64 [N] and one input per parameter.
/// <c>gradient.onnx</c> gives <c>loss</c> (mean over the batch, float32 scalar) and <c>gradient/NAME</c> for each parameter;
/// <c>evaluation.onnx</c> gives <c>loss</c> and <c>correct</c> (float32 scalar, how many examples were classified rightly).
/// </summary>
public sealed record PackageManifest
{
    /// <summary>The version this code writes and reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Graph input that takes the batch's features.</summary>
    public const string FeaturesInput = "features";

    /// <summary>Graph input that takes the batch's labels.</summary>
    public const string LabelsInput = "labels";

    /// <summary>Graph output: mean loss.</summary>
    public const string LossOutput = "loss";

    /// <summary>Output of the evaluation graph: count of right answers.</summary>
    public const string CorrectOutput = "correct";

    /// <summary>Prefix of the gradient outputs.</summary>
    public const string GradientPrefix = "gradient/";

    /// <summary>Format version of the manifest.</summary>
    public required int Format { get; init; }

    /// <summary>A name for people, for example <c>mlp-784-200-200-10</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The task.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>Shape of one example, without the batch dimension.</summary>
    public required IReadOnlyList<int> FeatureShape { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

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

    /// <summary>Parameters of the full model, frozen ones included: the baseline of "upload the whole model".</summary>
    public required long FullModelParameters { get; init; }

    /// <summary>Loss and gradients.</summary>
    public required PackageFile Gradient { get; init; }

    /// <summary>Loss and accuracy.</summary>
    public required PackageFile Evaluation { get; init; }

    /// <summary>The flat layout of <see cref="Parameters"/>.</summary>
    [JsonIgnore]
    public ParameterLayout Layout => _layout ??= ParameterLayout.Of(Parameters.Select(p => (p.Name, p.Shape)));

    private ParameterLayout? _layout;

    /// <summary>Elements of one example: the product of <see cref="FeatureShape"/>.</summary>
    [JsonIgnore]
    public int FeatureLength => FeatureShape.Aggregate(1, (product, dimension) => checked(product * dimension));

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
                    ErrorCode.UnsupportedVersion, $"The package manifest has format {format}; this software reads {CurrentFormat}. Update the client.");
            }

            PackageManifest manifest = JsonSerializer.Deserialize(utf8, ManifestJsonContext.Default.PackageManifest)!;
            return manifest.FindProblem() is { } problem ? throw Malformed(problem) : manifest;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or OverflowException or InvalidOperationException or NullReferenceException)
        {
            throw Malformed(e.Message, e);
        }
    }

    private static ProtocolViolationException Malformed(string what, Exception? inner = null) =>
        new(ErrorCode.MalformedDocument, $"The package manifest cannot be read: {what}.", inner);

    /// <summary>What makes the manifest one of no model, or null.</summary>
    /// <exception cref="ArgumentException">A parameter's name or shape is impossible.</exception>
    /// <exception cref="OverflowException">A product of dimensions is beyond 2^31−1.</exception>
    private string? FindProblem()
    {
        if (!Enum.IsDefined(Task))
        {
            return $"task {(int)Task} is unknown";
        }

        if (FeatureShape.Any(dimension => dimension < 1) || FeatureLength < 1)
        {
            return $"featureShape is [{string.Join(", ", FeatureShape)}], every dimension is at least 1";
        }

        if (Classes < 1 || Layout.Length is < 1 or > ProtocolLimits.MaxParameters || FullModelParameters < Layout.Length)
        {
            return $"{Classes} classes, {Layout.Length} trainable of {FullModelParameters} parameters: allowed are 1 class and above, "
                + $"and 1 to {ProtocolLimits.MaxParameters} trainable parameters that are part of the full model";
        }

        PackageFile? broken = new[] { Gradient, Evaluation }.FirstOrDefault(file => file.LengthBytes < 0 || !ContentHash.TryParse(file.Sha256, out _));
        return broken is null ? null : $"a file of {broken.LengthBytes} bytes has no negative length and is named by a SHA-256";
    }
}

/// <summary>The one key that every format of the manifest has.</summary>
internal sealed record ManifestFormat(int? Format);

[JsonSerializable(typeof(ManifestFormat))]
[JsonSerializable(typeof(PackageManifest))]
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    MaxDepth = 16)]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
