using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Federated.Server.Privacy;

namespace Federated.Server.Jobs;

/// <summary>Where a job's noise comes from.</summary>
public enum PrivacyMechanism
{
    /// <summary>The server adds Gaussian noise to the sum (McMahan et al. 2018, arXiv 1710.06963); it is trusted with the sum.</summary>
    [JsonStringEnumMemberName("gaussian")]
    Gaussian,

    /// <summary>
    /// Every device adds Skellam noise to its fields before it masks them (Agarwal et al. 2021, arXiv 2110.04995); the server never sees a sum
    /// without noise.
    /// </summary>
    [JsonStringEnumMemberName("skellam")]
    Skellam,
}

/// <summary>Differential privacy of everything that one device holds (docs/SECURITY.md). The clip norm is the codec's.</summary>
public sealed record PrivacySettings : ISettings
{
    [Description("gaussian: the server adds the noise and is trusted with the sum. skellam: every device adds its part before masking; needs aggregation.secure.")]
    public PrivacyMechanism Mechanism { get; init; } = PrivacyMechanism.Gaussian;

    [Description("Deviation of the noise on a sum over the most that one device can move it by. More is more private and learns slower.")]
    [Range(0.01, 1_000.0)]
    public double NoiseMultiplier { get; init; } = 1;

    [Description("Delta of the guarantee; well below one over the number of devices.")]
    [Range(1e-15, 0.1)]
    public double Delta { get; init; } = 1e-5;

    [Description("Epsilon at which the job ends: it begins no round that could spend more. Null counts without a limit.")]
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double? EpsilonBudget { get; init; }

    [Description("Deviation of the noise on the number of devices within the clip norm, which update.clipQuantile follows; a twentieth of the goal, at least 1, when left out.")]
    [Range(0.5, 1e6)]
    public double? ClipCountDeviation { get; init; }

    /// <summary>What these settings and the rest of a job cannot do together.</summary>
    internal static IEnumerable<SettingProblem> Validate(JobSpec spec)
    {
        const string Path = "privacy";
        if (spec.Privacy is not { } privacy)
        {
            yield break;
        }

        if (spec.Update.Codec != UpdateCodec.Linear)
        {
            yield return new SettingProblem(
                "update.codec",
                $"{AllowedText.NameOf(spec.Update.Codec, StrictJson.Options)} together with {Path}",
                $"linear: only there is what one device adds bounded by a clip norm; or {Path} = null");
        }
        else if (spec.Update.ExampleCap != 1)
        {
            yield return new SettingProblem(
                "update.exampleCap",
                $"{spec.Update.ExampleCap} together with {Path}",
                $"1, which weighs all devices alike: the mean is over devices, and nobody's number of examples shows in it; or {Path} = null");
        }

        if (privacy.Mechanism == PrivacyMechanism.Skellam && spec.Aggregation.Secure is null)
        {
            yield return new SettingProblem(
                $"{Path}.mechanism",
                "skellam without aggregation.secure",
                "gaussian; or set aggregation.secure: a device's part of the noise is too small to hide its update from who sees it unmasked");
        }

        if (privacy is { EpsilonBudget: { } budget, NoiseMultiplier: >= 0.01, Delta: > 0 and < 1 } && PrivacyCost.LeastOfOneRound(privacy) is var least && least > budget)
        {
            yield return new SettingProblem(
                $"{Path}.epsilonBudget",
                FormattableString.Invariant($"{budget} with noiseMultiplier = {privacy.NoiseMultiplier}: the first round spends {least:F3}"),
                FormattableString.Invariant($"at least {least:F3}; or a greater noiseMultiplier"));
        }
    }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path) => [];
}
