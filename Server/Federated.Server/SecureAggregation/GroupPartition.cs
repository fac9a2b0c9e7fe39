namespace Federated.Server.SecureAggregation;

/// <summary>
/// Cuts a cohort into aggregation groups of nearly equal size. In a group of g a third may drop out and a third may be in the server's
/// hand, so small groups are fragile; the work of a member grows with g, so large ones are slow.
/// </summary>
internal static class GroupPartition
{
    /// <summary>Least size of a group, where there are enough devices for two.</summary>
    public const int LeastSize = 32;

    /// <summary>
    /// Sizes of the groups, largest first; they differ by at most one and add up to <paramref name="devices"/>. As many groups as their
    /// least size allows, so that a group that fails costs the round as little as possible; none when there are fewer devices than
    /// <paramref name="floor"/>.
    /// </summary>
    /// <param name="devices">Devices of the cohort.</param>
    /// <param name="floor">Least members that devices accept.</param>
    /// <param name="least">Least size wanted, at least the floor.</param>
    public static int[] Sizes(int devices, int floor, int least = LeastSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(devices);
        ArgumentOutOfRangeException.ThrowIfLessThan(least, floor);
        if (devices < floor)
        {
            return [];
        }

        int groups = Math.Max(1, devices / least);
        return [.. Enumerable.Range(0, groups).Select(i => (devices / groups) + (i < devices % groups ? 1 : 0))];
    }
}
