using Federated.Shared.Randomness;

namespace Federated.Server.Rounds;

/// <summary>Selects a cohort: every subset of the wanted size is equally likely (McMahan et al. 2017, algorithm 1).</summary>
internal static class UniformSelection
{
    /// <summary>
    /// Chooses <paramref name="count"/> devices, or all when there are fewer, in ordinal order. Depends on the set of devices, the seed and
    /// the round, and not on the order of the pool.
    /// </summary>
    /// <param name="pool">Waiting devices; one named twice counts once.</param>
    /// <param name="count">0 or more.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="round">The round, 0 or more.</param>
    public static string[] Choose(IReadOnlyCollection<string> pool, int count, ulong seed, long round)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(round);
        string[] devices = [.. pool.Distinct(StringComparer.Ordinal)];
        Array.Sort(devices, StringComparer.Ordinal);
        if (count >= devices.Length)
        {
            return devices;
        }

        // The first steps of a Fisher-Yates shuffle.
        SeededGenerator generator = SeededGenerator.For(seed, "selection", (ulong)round);
        for (int i = 0; i < count; i++)
        {
            int j = i + generator.NextInt(devices.Length - i);
            (devices[i], devices[j]) = (devices[j], devices[i]);
        }

        string[] chosen = devices[..count];
        Array.Sort(chosen, StringComparer.Ordinal);
        return chosen;
    }
}
