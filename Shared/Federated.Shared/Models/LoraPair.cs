namespace Federated.Shared.Models;

/// <summary>
/// One adapted weight (Hu et al. 2021, arXiv 2106.09685, section 4.1): what training adds to it is ΔW = <see cref="Scale"/>·B·A, A [r, n],
/// B [m, r], both row-major in the flat adapter. Of a tensor with more dimensions, as for a convolution, n and m are products.
/// </summary>
/// <param name="Name">What is adapted.</param>
/// <param name="A">The factor next to the input; its first dimension is the rank.</param>
/// <param name="B">The factor next to the output; its second dimension is the rank.</param>
/// <param name="Scale">α/r, the same for every client whatever rank it trains.</param>
/// <param name="Base">The weight itself, where it is part of the adapter so that products can be merged into it; else null.</param>
/// <param name="BaseInputsFirst">Whether <paramref name="Base"/> is stored [n, m] rather than [m, n].</param>
public sealed record LoraPair(string Name, ParameterSpec A, ParameterSpec B, float Scale, ParameterSpec? Base = null, bool BaseInputsFirst = false)
{
    /// <summary>r.</summary>
    public int Rank => A.Shape[0];

    /// <summary>n.</summary>
    public int Inputs => A.Length / A.Shape[0];

    /// <summary>m.</summary>
    public int Outputs => B.Shape[0];

    /// <summary>m·n, the elements of ΔW.</summary>
    public long ProductLength => (long)Outputs * Inputs;
}
