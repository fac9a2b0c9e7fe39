using Federated.Shared.Randomness;
using Federated.Simulator.Population;

namespace Federated.Simulator.Faults;

/// <summary>
/// Decides from the seed who drops out of a round and when the others would finish. Pure: the same (seed, round, device) always gives the
/// same answer, whatever the machine's load.
/// </summary>
/// <param name="seed">The run's seed.</param>
/// <param name="dropRate">Probability that a selected device vanishes from a round, 0 to 1.</param>
/// <param name="jitter">σ of the log-normal factor on completion times; 0 for none.</param>
internal sealed class FaultModel(ulong seed, double dropRate, double jitter)
{
    /// <summary>Whether the device vanishes from the round.</summary>
    public bool Drops(long round, string deviceId) =>
        dropRate > 0 && SeededGenerator.For(seed, "faults/drop", (ulong)round, deviceId).NextDouble() < dropRate;

    /// <summary>
    /// Modelled time from assignment to the end of the upload: download, training and upload at the profile's rates, times exp(σ·z) with z
    /// standard normal. The factor spreads devices of one profile, with a median of 1.
    /// </summary>
    /// <param name="profile">The device's rates.</param>
    /// <param name="round">The round.</param>
    /// <param name="deviceId">The device.</param>
    /// <param name="work">What the round asks of it.</param>
    public TimeSpan CompletionTime(FleetProfile profile, long round, string deviceId, PlannedWork work)
    {
        double seconds = (work.BytesDown / profile.DownlinkBytesPerSecond)
            + (work.Examples / profile.ExamplesPerSecond)
            + (work.BytesUp / profile.UplinkBytesPerSecond);
        if (jitter > 0)
        {
            seconds *= Math.Exp(jitter * SeededGenerator.For(seed, "faults/jitter", (ulong)round, deviceId).NextGaussian());
        }

        // A TimeSpan holds 29,000 years; beyond a thousand days a device is simply never done.
        return TimeSpan.FromSeconds(Math.Min(seconds, 86_400_000));
    }
}
