using Federated.Shared.Models;

namespace Federated.Modeling.Imports;

/// <summary>What a person asks of an import.</summary>
public sealed record ImportOptions
{
    /// <summary>What the model is to be trained for.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>A name for people; the source file's when null.</summary>
    public string? Name { get; init; }

    /// <summary>The input of features; may be left out when there is only one.</summary>
    public string? Input { get; init; }

    /// <summary>The output, or any value inside the graph, that the loss is taken of; may be left out when there is only one output.</summary>
    public string? Output { get; init; }

    /// <summary>Shape of one example; needed where the file leaves a dimension open.</summary>
    public IReadOnlyList<int>? InputShape { get; init; }

    /// <summary>Constant values for the other inputs, by name; for example 1 for an attention mask.</summary>
    public IReadOnlyDictionary<string, double> Fill { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>Low-rank changes; null for none.</summary>
    public PackageLora? Lora { get; init; }

    /// <summary>Weights that are trained as a whole: <c>all</c>, or an expression their names are searched for; null for none.</summary>
    public string? Trainable { get; init; }

    /// <summary>8 or 4: the bits of a frozen weight of a matrix. Null keeps float32.</summary>
    public int? BaseBits { get; init; }
}
