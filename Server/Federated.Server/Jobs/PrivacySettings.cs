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

        // What other settings are refused for is not counted with.
        bool countable = privacy is { NoiseMultiplier: >= 0.01, Delta: > 0 and < 1, ClipCountDeviation: null or (>= 0.5 and <= 1e6) }
            && (privacy.Mechanism == PrivacyMechanism.Gaussian || spec.Aggregation.Secure is { MinMembers: >= SecureAggregationSettings.DeviceFloor });
        if (countable && BudgetProblem(spec, PrivacyCost.LeastOfOneRound(spec)) is { } problem)
        {
            yield return problem;
        }
    }

    /// <summary>The budget that a first round would exceed; null when it would not.</summary>
    /// <param name="spec">A job with privacy.</param>
    /// <param name="first">ε of the first round.</param>
    internal static SettingProblem? BudgetProblem(JobSpec spec, double first)
    {
        PrivacySettings privacy = spec.Privacy!;
        if (privacy.EpsilonBudget is not { } budget || first <= budget)
        {
            return null;
        }

        (string noise, string more) = PrivacyCost.TellsCount(spec)
            ? (FormattableString.Invariant($"noiseMultiplier = {privacy.NoiseMultiplier} and clipCountDeviation = {PrivacyCost.BitDeviation(spec)}"), "noiseMultiplier or clipCountDeviation")
            : (FormattableString.Invariant($"noiseMultiplier = {privacy.NoiseMultiplier}"), "noiseMultiplier");
        return new SettingProblem(
            "privacy.epsilonBudget",
            FormattableString.Invariant($"{budget} with {noise}: the first round spends {first:F3}"),
            FormattableString.Invariant($"at least {Math.Ceiling(first * 1_000) / 1_000:F3}; or a greater {more}"));
    }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path) => [];
}
