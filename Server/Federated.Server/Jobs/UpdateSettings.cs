using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Shared.Privacy;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Server.Jobs;

/// <summary>How devices write their updates.</summary>
public sealed record UpdateSettings : ISettings
{
    private const double DefaultDensity = 0.01;
    private const int DefaultValueBits = 8;

    [Description("dense: every parameter as float32. top-k: the largest, the others are kept on the device for later. quantized: all in few bits. stc: the signs of the largest and one magnitude. linear: the same coordinates of every device, clipped and rounded into whole numbers that add up, as aggregation.secure needs.")]
    public UpdateCodec Codec { get; init; } = UpdateCodec.Dense;

    [Description("Share of the parameters that top-k and stc (up to 0.25; 0.01 when left out) or linear (up to 1; 0.1 when left out) send.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double? Density { get; init; }

    [Description("Bits a value: 2, 4 or 8 for quantized, those or 32 for top-k, 4 to 22 for linear; 8 when left out.")]
    [Range(2, 32)]
    public int? ValueBits { get; init; }

    [Description("Momentum that top-k and stc keep on the device (momentum correction); 0 when left out.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double? Momentum { get; init; }

    [Description("What is left on the device, for each round that it missed, of what top-k and stc keep; 1 when left out.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double? StaleDecay { get; init; }

    [Description("linear: which coordinates. random: drawn anew in each round, scaled to be unbiased. momentum: half of them the largest of the server's momentum. voted: those with the largest residuals on the devices, which keep what is not sent.")]
    public IndexSetKind IndexSet { get; init; } = IndexSetKind.Random;

    [Description("linear: L2 norm to which updates are clipped, on the coordinates sent; in the first round only, when clipQuantile is set.")]
    [Range(AdaptiveClipping.MinClipNorm, AdaptiveClipping.MaxClipNorm)]
    public double ClipNorm { get; init; } = 1;

    [Description("linear: share of updates that should be within the clip norm, which then follows it from round to round (Andrew et al. 2021); null keeps the norm.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double? ClipQuantile { get; init; }

    [Description("linear: most examples by which an update weighs. A device with fewer loses precision in proportion; 1 weighs all devices alike.")]
    [Range(1, Federated.Shared.Protocol.ProtocolLimits.MaxExamples)]
    public int ExampleCap { get; init; } = 1_000;

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        bool sparse = Codec is UpdateCodec.TopK or UpdateCodec.Stc;
        string sparseOnly = $"leave it out: codec = {Name} sends all parameters and keeps nothing; or codec = top-k or stc";
        if (!sparse && Codec != UpdateCodec.Linear && Density is not null)
        {
            yield return new SettingProblem(SettingProblem.At(path, "density"), $"{Density} with codec = {Name}", sparseOnly);
        }

        if (sparse && Density > PlainCodec.MaxSparseDensity)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "density"),
                $"{Density} with codec = {Name}",
                $"above 0 and at most {PlainCodec.MaxSparseDensity}: beyond it sending every parameter takes less; or codec = quantized");
        }

        if (!sparse && Momentum is not null)
        {
            yield return new SettingProblem(SettingProblem.At(path, "momentum"), $"{Momentum} with codec = {Name}", sparseOnly);
        }

        if (!sparse && StaleDecay is not null)
        {
            yield return new SettingProblem(SettingProblem.At(path, "staleDecay"), $"{StaleDecay} with codec = {Name}", sparseOnly);
        }

        if (IndexSet != IndexSetKind.Random && Codec != UpdateCodec.Linear)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "indexSet"), $"{AllowedText.NameOf(IndexSet, StrictJson.Options)} with codec = {Name}", "random; or codec = linear, whose devices share a set");
        }

        if (ValueBits is { } bits && AllowedBits is var allowed && !allowed.Contains(bits))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "valueBits"),
                $"{bits} with codec = {Name}",
                allowed.Length == 0 ? "leave it out, or codec = top-k or quantized" : string.Join(", ", allowed));
        }
    }

    /// <summary>Whether devices keep what an update leaves out, and add it to the next.</summary>
    internal bool KeepsResidual => Codec is UpdateCodec.TopK or UpdateCodec.Stc || (Codec == UpdateCodec.Linear && IndexSet == IndexSetKind.Voted);

    /// <summary>The same as the plan carries it; null for dense and linear updates.</summary>
    public PlainCodec? ToPlan() => Codec is UpdateCodec.Dense or UpdateCodec.Linear
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
        UpdateCodec.Linear => [.. Enumerable.Range(LinearSettings.MinWidthBits, LinearSettings.MaxWidthBits - LinearSettings.MinWidthBits + 1)],
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
