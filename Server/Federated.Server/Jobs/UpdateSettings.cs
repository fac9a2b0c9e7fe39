using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Server.Jobs;

/// <summary>How devices write their updates.</summary>
public sealed record UpdateSettings : ISettings
{
    private const double DefaultDensity = 0.01;
    private const int DefaultValueBits = 8;

    [Description("dense: every parameter as float32. top-k: the largest, the others are kept on the device for later. quantized: all in few bits. stc: the signs of the largest and one magnitude.")]
    public UpdateCodec Codec { get; init; } = UpdateCodec.Dense;

    [Description("Share of the parameters that top-k and stc send; 0.01 when left out.")]
    [Range(0.0, PlainCodec.MaxSparseDensity, MinimumIsExclusive = true)]
    public double? Density { get; init; }

    [Description("Bits a value: 2, 4 or 8 for quantized, those or 32 for top-k; 8 when left out.")]
    [Range(2, 32)]
    public int? ValueBits { get; init; }

    [Description("Momentum that top-k and stc keep on the device (momentum correction); 0 when left out.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double? Momentum { get; init; }

    [Description("What is left on the device, for each round that it missed, of what top-k and stc keep; 1 when left out.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double? StaleDecay { get; init; }

    [Description("Mask updates so that the server sees only their sum. This version offers false alone.")]
    public bool SecureAggregation { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (SecureAggregation)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "secureAggregation"), "true", "false: this version cannot mask updates, and does not pretend to");
        }

        if (SecureAggregation && Codec != UpdateCodec.Dense)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "codec"),
                $"{Name} together with update.secureAggregation = true",
                "dense: every device picks or rounds on its own with this codec, so that masked updates would not add up; or set update.secureAggregation to false");
        }

        bool sparse = Codec is UpdateCodec.TopK or UpdateCodec.Stc;
        string sparseOnly = $"leave it out: codec = {Name} sends all parameters and keeps nothing; or codec = top-k or stc";
        if (!sparse && Density is not null)
        {
            yield return new SettingProblem(SettingProblem.At(path, "density"), $"{Density} with codec = {Name}", sparseOnly);
        }

        if (!sparse && Momentum is not null)
        {
            yield return new SettingProblem(SettingProblem.At(path, "momentum"), $"{Momentum} with codec = {Name}", sparseOnly);
        }

        if (!sparse && StaleDecay is not null)
        {
            yield return new SettingProblem(SettingProblem.At(path, "staleDecay"), $"{StaleDecay} with codec = {Name}", sparseOnly);
        }

        if (ValueBits is { } bits && AllowedBits is var allowed && !allowed.Contains(bits))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "valueBits"),
                $"{bits} with codec = {Name}",
                allowed.Length == 0 ? "leave it out, or codec = top-k or quantized" : string.Join(", ", allowed));
        }
    }

    /// <summary>The same as the plan carries it; null for dense updates.</summary>
    public PlainCodec? ToPlan() => Codec == UpdateCodec.Dense
        ? null
        : new PlainCodec
        {
            Density = Codec == UpdateCodec.Quantized ? 1 : Density ?? DefaultDensity,
            Values = Codec == UpdateCodec.Stc ? ValueEncoding.Sign : EncodingOf(ValueBits ?? DefaultValueBits),
            KeepsResidual = Codec != UpdateCodec.Quantized,
            Momentum = (float)(Momentum ?? 0),
            StaleDecay = (float)(StaleDecay ?? 1),
        };

    private string Name => AllowedText.NameOf(Codec, StrictJson.Options);

    private int[] AllowedBits => Codec switch
    {
        UpdateCodec.TopK => [2, 4, 8, 32],
        UpdateCodec.Quantized => [2, 4, 8],
        _ => [],
    };

    private static ValueEncoding EncodingOf(int bits) => bits switch
    {
        2 => ValueEncoding.Block2,
        4 => ValueEncoding.Block4,
        8 => ValueEncoding.Block8,
        _ => ValueEncoding.RawFloat32,
    };
}
