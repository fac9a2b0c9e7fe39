using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Server.Jobs;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Privacy;

/// <summary>
/// The server's Gaussian noise of one round (McMahan et al. 2018, arXiv 1710.06963). It protects what is published, not what the server sees. Samples are
/// doubles; attacks on the lowest bits of floating-point noise (Mironov 2012) are not defended against. It comes from a secret of the job, the round, and what
/// it is added to, never from the job's seed, which is no secret: so a commit repeated after a crash has the same noise, two jobs with one seed do not, and
/// neither have two sums of a round that is run again after its store was restored from a backup, whose difference would be without any. Used once.
/// </summary>
/// <param name="spec">A job with privacy.</param>
/// <param name="key">The job's secret: 32 bytes.</param>
internal sealed class ServerNoise(JobSpec spec, byte[] key)
{
    /// <summary>Draws a job's secret.</summary>
    public static byte[] CreateKey()
    {
        using KeyedGenerator random = KeyedGenerator.Create();
        byte[] key = new byte[4 * sizeof(ulong)];
        for (int i = 0; i < key.Length; i += sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(i), random.NextUInt64());
        }

        return key;
    }

    /// <summary>
    /// Adds the noise to a decoded mean and, where the clip norm follows it, to the count of unclipped devices. On the sum of n updates it is N(0, (zΔ)²) in each coordinate of the
    /// index set, so zΔ/n on the mean, scaled as the set's coordinates are.
    /// </summary>
    /// <param name="roundNumber">The round.</param>
    /// <param name="round">Its fields.</param>
    /// <param name="set">Its coordinates.</param>
    /// <param name="clients">n.</param>
    /// <param name="mean">[P].</param>
    /// <param name="statistics">As decoded.</param>
    public LinearStatistics AddTo(
        long roundNumber, LinearRound round, SharedIndexSet set, int clients, Span<float> mean, LinearStatistics statistics)
    {
        using KeyedGenerator random = new(SecretOf(roundNumber, mean, statistics));
        double deviation = spec.Privacy!.NoiseMultiplier * PrivacyCost.SensitivityOf(round) / clients;
        ReadOnlySpan<int> indices = set.Indices.Indices;
        for (int i = 0; i < indices.Length; i++)
        {
            mean[indices[i]] += (float)(deviation * set.ScaleOf(i) * random.NextGaussian());
        }

        if (!PrivacyCost.TellsCount(spec))
        {
            // Only the record has it, which the guarantee does not cover.
            return statistics;
        }

        double count = statistics.Unclipped + (PrivacyCost.BitDeviation(spec) * random.NextGaussian());
        return statistics with { Unclipped = (long)Math.Round(count) };
    }

    private byte[] SecretOf(long roundNumber, ReadOnlySpan<float> mean, LinearStatistics statistics)
    {
        Span<byte> numbers = stackalloc byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, roundNumber);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[sizeof(long)..], statistics.Unclipped);
        using IncrementalHash secret = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        secret.AppendData(numbers);
        secret.AppendData(MemoryMarshal.AsBytes(mean));
        return secret.GetHashAndReset();
    }
}
