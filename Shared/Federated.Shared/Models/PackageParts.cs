using System.Text.Json.Serialization;

namespace Federated.Shared.Models;

/// <summary>A file of the package, named by its content.</summary>
/// <param name="Sha256">64 hexadecimal characters.</param>
/// <param name="LengthBytes">Its size.</param>
public sealed record PackageFile(string Sha256, long LengthBytes)
{
    /// <summary>The file of this content.</summary>
    public static PackageFile Of(ReadOnlySpan<byte> content) => new(ContentHash.Of(content).Hex, content.Length);
}

/// <summary>A graph input that takes the batch's features: [N, <paramref name="Shape"/>…].</summary>
/// <param name="Name">The graph's name for it.</param>
/// <param name="ElementType">Type of its elements.</param>
/// <param name="Shape">Shape of one example, without the batch dimension; every dimension is at least 1.</param>
public sealed record PackageInput(string Name, ElementType ElementType, IReadOnlyList<int> Shape);

/// <summary>The graph input <c>labels</c>: [N, <paramref name="Shape"/>…].</summary>
/// <param name="ElementType">int64 for classes and tokens, float32 for numbers.</param>
/// <param name="Shape">Shape of one example's label; empty for a single one.</param>
/// <param name="Classes">int64: labels lie in [0, Classes). Null for float32.</param>
public sealed record PackageLabels(ElementType ElementType, IReadOnlyList<int> Shape, int? Classes = null);

/// <summary>A trainable tensor as the manifest lists it.</summary>
/// <param name="Name">The graph input that takes it.</param>
/// <param name="Shape">Its dimensions, row-major.</param>
/// <param name="Lora">What it is to a low-rank change; null for a whole weight.</param>
public sealed record PackageParameter(string Name, IReadOnlyList<int> Shape, LoraFactor? Lora = null)
{
    /// <summary>Whether the gradient graph gives its gradient.</summary>
    [JsonIgnore]
    public bool HasGradient => Lora?.Factor != LoraMatrix.Base;
}

/// <summary>Where an imported model came from.</summary>
/// <param name="SourceFile">Name of the imported file, without its folder.</param>
/// <param name="Sha256">Its hash.</param>
/// <param name="Producer">The program that wrote it, with its version, as far as the file says.</param>
/// <param name="OperatorSet">Version of the standard operators it was written in.</param>
/// <param name="Output">What it calls the output that became <c>scores</c>; null where it has none by name.</param>
/// <param name="Softmax">True where that output is the softmax of <c>scores</c>, which the import left out; null else.</param>
public sealed record PackageProvenance(string SourceFile, string Sha256, string Producer, int OperatorSet, string? Output = null, bool? Softmax = null);
