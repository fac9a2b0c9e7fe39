using System.Text.Json.Serialization;

namespace Federated.Shared.Models;

/// <summary>Which of the two factors of a low-rank change a tensor is.</summary>
public enum LoraMatrix
{
    /// <summary>[r, n…]: takes the layer's input down to r values.</summary>
    [JsonStringEnumMemberName("A")]
    A,

    /// <summary>[m, r…]: takes them up to the layer's output; zero at first.</summary>
    [JsonStringEnumMemberName("B")]
    B,

    /// <summary>
    /// The weight that is changed, [m, n…] or [n, m]: neither trained nor sent, but part of the adapter where a job merges products into it.
    /// </summary>
    [JsonStringEnumMemberName("base")]
    Base,
}

/// <summary>
/// A trainable tensor that is one factor of a low-rank change of a frozen weight: W + <see cref="Scale"/> · B · A (Hu et al. 2021, arXiv
/// 2106.09685, section 4.1). As matrices, row-major, A is [r, n] and B is [m, r], whatever further dimensions of size 1 or of a kernel the
/// tensors have: the first r′ rows of A and the first r′ columns of B are the factors of rank r′.
/// </summary>
/// <param name="Target">Name of the layer; both factors of a layer name the same.</param>
/// <param name="Factor">Which factor.</param>
/// <param name="Rank">r, at least 1.</param>
/// <param name="Scale">α / r, above 0.</param>
/// <param name="InputsFirst">Of a base: true when it is stored [n, m]. Null for [m, n…] and for the factors.</param>
public sealed record LoraFactor(string Target, LoraMatrix Factor, int Rank, double Scale, bool? InputsFirst = null);

/// <summary>What a package's adapters were made with.</summary>
/// <param name="Rank">r of every layer.</param>
/// <param name="Alpha">α; the change is scaled by α / r.</param>
/// <param name="Targets">The regular expression that chose the layers.</param>
/// <param name="Seed">Seeds every A.</param>
public sealed record PackageLora(int Rank, double Alpha, string Targets, ulong Seed);
