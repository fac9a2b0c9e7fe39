using Federated.Modeling.Transformers;
using Federated.Shared.Models;

namespace Federated.Modeling;

/// <summary>
/// Which model a job trains, as a job's file states it. What a builder does not use must stay out; what is left out takes the published
/// size of McMahan et al. 2017 (arXiv 1602.05629).
/// </summary>
public sealed record ModelSpec
{
    /// <summary>A perceptron with ReLU layers; by default 784-200-200-10, the paper's "2NN".</summary>
    public const string Mlp = "mlp";

    /// <summary>5×5 convolutions with 2×2 max pooling, then dense layers; by default the paper's CNN for MNIST.</summary>
    public const string Cnn = "cnn";

    /// <summary>A decoder that foretells the next token; see <see cref="GptSpec"/>.</summary>
    public const string Gpt = "gpt";

    /// <summary>A transformer that classifies images; see <see cref="VitSpec"/>.</summary>
    public const string Vit = "vit";

    /// <summary><see cref="Mlp"/>, <see cref="Cnn"/>, <see cref="Gpt"/> or <see cref="Vit"/>.</summary>
    public required string Builder { get; init; }

    /// <summary>Features of one example; <c>mlp</c> only. Default 784.</summary>
    public int? Inputs { get; init; }

    /// <summary>Channels, height and width of one example; <c>cnn</c> only. Default 1, 28, 28.</summary>
    public IReadOnlyList<int>? ImageShape { get; init; }

    /// <summary>Filters of each convolution; <c>cnn</c> only. Default 32, 64.</summary>
    public IReadOnlyList<int>? Channels { get; init; }

    /// <summary>Units of each hidden dense layer. Default 200, 200 for <c>mlp</c> and 512 for <c>cnn</c>.</summary>
    public IReadOnlyList<int>? Hidden { get; init; }

    /// <summary>Number of classes, at least 2. Default 10.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Sizes of <c>gpt</c>; those of <see cref="GptSpec"/> when null.</summary>
    public GptSpec? GptSizes { get; init; }

    /// <summary>Sizes of <c>vit</c>; those of <see cref="VitSpec"/> when null.</summary>
    public VitSpec? VitSizes { get; init; }

    /// <summary>Low-rank changes of frozen weights in the place of trained whole weights. Layers are <c>conv1</c>… and <c>dense1</c>….</summary>
    public PackageLora? Lora { get; init; }

    /// <summary>
    /// With <see cref="Lora"/>, the weights that are trained as a whole beside the factors: an expression that their names are searched for. Null for none. PEFT
    /// calls them modules to save.
    /// </summary>
    public string? Trainable { get; init; }

    /// <summary>With <see cref="Lora"/>, 8 or 4: the bits of a frozen weight of a matrix. Null keeps float32.</summary>
    public int? BaseBits { get; init; }

    /// <summary>The same model trained as a whole: what the weights of a base are laid out by.</summary>
    public ModelSpec AsWhole() => this with { Lora = null, BaseBits = null, Trainable = null };
}
