using Federated.Server.Jobs;
using Federated.Shared.Privacy;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Privacy;

/// <summary>
/// How much noise a round of a job has and what the round costs a device that is in its sum. Two vectors of equal cohorts are neighbours when one
/// device's update is replaced by nothing (zero-out, Kairouz et al. 2021, arXiv 2103.00039, section 2): who is in a sum is no secret of this
/// protocol, what a device's examples made of its update is.
/// </summary>
internal static class PrivacyCost
{
    /// <summary>Share of a field's range that a client's noise may take up; the rest is for the update.</summary>
    private const double NoiseShare = 0.5;

    /// <summary>Δ₂ of a round: what one client's coordinates can have as L2 norm after rounding, in the unit of the update.</summary>
    public static double SensitivityOf(LinearRound round) =>
        round.Step * DistributedSkellam.RoundedNorm(round.ClipNorm, round.Step, round.PaddedLength);

    /// <summary>Deviation of the noise on the number of clients within the clip norm.</summary>
    public static double BitDeviation(JobSpec spec) => spec.Privacy!.ClipCountDeviation ?? Math.Max(1, spec.Cohort.Goal / 20.0);

    /// <summary>Whether the number of clients within the clip norm is told, which costs beside the coordinates.</summary>
    public static bool TellsCount(JobSpec spec) => spec.Privacy!.Mechanism == PrivacyMechanism.Skellam || spec.Update.ClipQuantile is not null;

    /// <summary>Fewest clients whose noise is counted on in a sum: nobody's sum is opened below a group's threshold.</summary>
    public static int FewestInSum(JobSpec spec) => GroupTopology.CompleteThreshold(spec.Aggregation.Secure!.MinMembers);

    /// <summary>A round as the job's privacy wants it: with the clients' noise, and with the finest step that leaves room for it.</summary>
    /// <param name="spec">A job with the linear codec.</param>
    /// <param name="round">The round without noise.</param>
    /// <exception cref="InvalidSettingsException">Its fields are too narrow.</exception>
    public static LinearRound WithNoise(JobSpec spec, LinearRound round)
    {
        if (spec.Privacy is not { Mechanism: PrivacyMechanism.Skellam } privacy)
        {
            return round;
        }

        // The sum's deviation is z(C/γ + √k'), a client's part 1/√t of it, and twelve of those have to fit the share of the limit.
        double fewest = Math.Sqrt(FewestInSum(spec));
        double rounding = Math.Sqrt(round.PaddedLength);
        double levels = (NoiseShare * (round.Limit - 1) * fewest / (LinearNoise.Reach * privacy.NoiseMultiplier)) - rounding;
        if (levels < rounding)
        {
            throw new InvalidSettingsException([new SettingProblem(
                "update.valueBits",
                $"{round.WidthBits} with {round.PaddedLength} coordinates, groups of up to {round.MaxClients} devices and noiseMultiplier = {privacy.NoiseMultiplier}",
                $"more bits (at most {LinearSettings.MaxWidthBits}), or a smaller density, group or noise multiplier: rounding would need more noise than the update")]);
        }

        // The coordinates themselves have what the noise leaves of the limit.
        double step = Math.Max(round.Step / (1 - NoiseShare), round.ClipNorm / levels);
        double deviation = privacy.NoiseMultiplier * DistributedSkellam.RoundedNorm(round.ClipNorm, step, round.PaddedLength);
        LinearRound noisy = round with
        {
            Step = step,
            Noise = new LinearNoise(DistributedSkellam.ClientVariance(deviation * deviation, FewestInSum(spec)), BitVariance(spec)),
        };
        return noisy.Problem() is { } problem
            ? throw new InvalidSettingsException([new SettingProblem("update.valueBits", $"{round.WidthBits}: {problem.TrimEnd('.')}", $"up to {LinearSettings.MaxWidthBits}")])
            : noisy;
    }

    /// <summary>What a round costs a device in its sum.</summary>
    public static RdpAccountant Of(JobSpec spec, LinearRound round)
    {
        PrivacySettings privacy = spec.Privacy!;
        RdpAccountant cost = OfCount(spec);
        if (round.Noise is { } noise)
        {
            double norm = DistributedSkellam.RoundedNorm(round.ClipNorm, round.Step, round.PaddedLength);
            cost.AddSkellam(DistributedSkellam.LargestL1(norm, round.PaddedLength), norm, noise.Variance * FewestInSum(spec), 1);
        }
        else
        {
            cost.AddGaussian(1, privacy.NoiseMultiplier, 1);
        }

        return cost;
    }

    /// <summary>
    /// ε of one round before its fields are known, the noisy count included: with the server's noise what every round costs; with the clients', whose
    /// coordinates cost a little more than Gaussian noise would, what no round costs less than.
    /// </summary>
    public static double LeastOfOneRound(JobSpec spec)
    {
        RdpAccountant cost = OfCount(spec);
        cost.AddGaussian(1, spec.Privacy!.NoiseMultiplier, 1);
        return cost.Spent(spec.Privacy.Delta).Epsilon;
    }

    /// <summary>What telling the number of clients within the clip norm costs; nothing where it is not told.</summary>
    private static RdpAccountant OfCount(JobSpec spec)
    {
        RdpAccountant cost = new();
        if (spec.Privacy!.Mechanism == PrivacyMechanism.Skellam)
        {
            cost.AddSkellam(LinearNoise.BitScale, LinearNoise.BitScale, BitVariance(spec) * FewestInSum(spec), 1);
        }
        else if (TellsCount(spec))
        {
            // A bit around its middle moves the count by a half.
            cost.AddGaussian(1, 2 * BitDeviation(spec), 1);
        }

        return cost;
    }

    /// <summary>Variance of one client's noise on its bit, in units of the ring.</summary>
    private static double BitVariance(JobSpec spec)
    {
        double bit = 2 * BitDeviation(spec) * LinearNoise.BitScale;
        return Math.Max(1, DistributedSkellam.ClientVariance(bit * bit, FewestInSum(spec)));
    }
}
