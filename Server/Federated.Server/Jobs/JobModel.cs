using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Modeling;
using Federated.Server.Aggregation;

namespace Federated.Server.Jobs;

/// <summary>The models that are built for a job.</summary>
public enum JobModelBuilder
{
    /// <summary>A perceptron with ReLU layers.</summary>
    Mlp,

    /// <summary>Convolutions with pooling, then dense layers.</summary>
    Cnn,

    /// <summary>A decoder that foretells the next token.</summary>
    Gpt,

    /// <summary>A transformer that classifies images.</summary>
    Vit,

    /// <summary>A bare vector without a graph, to measure the platform itself.</summary>
    Vector,
}

/// <summary>
/// The model of a job: a builder's, or a package. What the builder does not use must stay out; what is left out takes the published size of
/// McMahan et al. 2017 (arXiv 1602.05629).
/// </summary>
public sealed record JobModel : ISettings
{
    private const int MaxWidth = 1_000_000;

    [Description("mlp: dense layers; cnn: convolutions, then dense layers; gpt: a decoder that foretells the next token; vit: a transformer that classifies images; vector: no graph, clients return it unchanged. Either this or package.")]
    public JobModelBuilder? Builder { get; init; }

    [Description("A model package in the place of a builder: a folder on the server that 'models import --out' wrote, or the SHA-256 under which the server stored it.")]
    [MinLength(1, ErrorMessage = "a folder or a SHA-256")]
    public string? Package { get; init; }

    [Description("mlp: features of one example; 784 when left out.")]
    [Range(1, MaxWidth)]
    public int? Inputs { get; init; }

    [Description("cnn: channels, height and width of one example; [1, 28, 28] when left out.")]
    [Length(3, 3)]
    public IReadOnlyList<int>? ImageShape { get; init; }

    [Description("cnn: filters of each convolution; [32, 64] when left out.")]
    [Length(1, 8)]
    public IReadOnlyList<int>? Channels { get; init; }

    [Description("mlp and cnn: units of each hidden dense layer; [200, 200] for mlp and [512] for cnn when left out.")]
    [Length(0, 16)]
    public IReadOnlyList<int>? Hidden { get; init; }

    [Description("mlp and cnn: number of classes; 10 when left out.")]
    [Range(2, MaxWidth)]
    public int? Classes { get; init; }

    [Description("gpt: its sizes.")]
    public JobModelGpt? Gpt { get; init; }

    [Description("vit: its sizes.")]
    public JobModelVit? Vit { get; init; }

    [Description("Weights to start from, of the same builder and sizes trained as a whole: a safetensors file on the server, as 'pretrain' writes it, or the SHA-256 of another job's adapter. With lora they are frozen. Drawn from the seed when left out.")]
    [MinLength(1, ErrorMessage = "a file or a SHA-256")]
    public string? Base { get; init; }

    [Description("With lora, 8 or 4: frozen matrices are stored, sent and held in blocks of so many bits a weight; float32 when left out.")]
    public int? BaseBits { get; init; }

    [Description("Low-rank changes of frozen weights in the place of trained whole weights; null trains all weights.")]
    public JobModelLora? Lora { get; init; }

    [Description("With lora, an expression for the names of weights that are trained as a whole beside the factors, for example head|norm|bias; none when left out.")]
    [MinLength(1, ErrorMessage = "an expression")]
    public string? Trainable { get; init; }

    [Description("vector: number of parameters.")]
    public int? Parameters { get; init; }

    /// <summary>The same as the builders take it.</summary>
    /// <exception cref="InvalidOperationException">The model has no graph that is built.</exception>
    public ModelSpec ToSpec() => new()
    {
        Builder = Builder switch
        {
            JobModelBuilder.Mlp => ModelSpec.Mlp,
            JobModelBuilder.Cnn => ModelSpec.Cnn,
            JobModelBuilder.Gpt => ModelSpec.Gpt,
            JobModelBuilder.Vit => ModelSpec.Vit,
            _ => throw new InvalidOperationException("A package or a bare vector is not built from sizes."),
        },
        Inputs = Inputs,
        ImageShape = ImageShape,
        Channels = Channels,
        Hidden = Hidden,
        Classes = Classes ?? 10,
        GptSizes = Gpt?.ToSpec(),
        VitSizes = Vit?.ToSpec(),
        Lora = Lora?.ToPackageLora(),
        BaseBits = BaseBits,
        Trainable = Trainable,
    };

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (Builder is null == Package is null)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "builder"), Builder is null ? "a missing key" : "this key together with package", "either builder or package");
        }

        bool mlp = Builder == JobModelBuilder.Mlp;
        bool cnn = Builder == JobModelBuilder.Cnn;
        bool graph = mlp || cnn || Builder is JobModelBuilder.Gpt or JobModelBuilder.Vit;
        (string Key, object? Value, bool Used)[] keys =
        [
            ("inputs", Inputs, mlp),
            ("imageShape", ImageShape, cnn),
            ("channels", Channels, cnn),
            ("hidden", Hidden, mlp || cnn),
            ("classes", Classes, mlp || cnn),
            ("gpt", Gpt, Builder == JobModelBuilder.Gpt),
            ("vit", Vit, Builder == JobModelBuilder.Vit),
            ("base", Base, graph),
            ("baseBits", BaseBits, graph && Lora is not null),
            ("lora", Lora, graph),
            ("trainable", Trainable, graph && Lora is not null),
            ("parameters", Parameters, Builder == JobModelBuilder.Vector),
        ];
        string used = Package is null ? string.Join(", ", keys.Where(key => key.Used).Select(key => key.Key)) : "package alone";
        string with = Builder is { } builder ? $"builder = {AllowedText.NameOf(builder, StrictJson.Options)}" : "package";
        foreach ((string key, _, _) in keys.Where(key => !key.Used && key.Value is not null))
        {
            yield return new SettingProblem(SettingProblem.At(path, key), $"this key with {with}", used);
        }

        if (BaseBits is not (null or 8 or 4))
        {
            yield return new SettingProblem(SettingProblem.At(path, "baseBits"), $"{BaseBits}", "8 or 4");
        }

        foreach ((string list, IReadOnlyList<int>? values) in new[] { ("imageShape", ImageShape), ("channels", Channels), ("hidden", Hidden) })
        {
            for (int i = 0; i < (values?.Count ?? 0); i++)
            {
                if (values![i] is < 1 or > MaxWidth)
                {
                    yield return new SettingProblem($"{SettingProblem.At(path, list)}[{i}]", $"{values[i]}", $"1 to {MaxWidth}");
                }
            }
        }

        if (Builder == JobModelBuilder.Vector && (Parameters is null || Parameters < 1 || Parameters > RunningSum.MaxParameterCount))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "parameters"), Parameters is null ? "a missing key" : $"{Parameters}", $"1 to {RunningSum.MaxParameterCount}");
        }
    }
}
