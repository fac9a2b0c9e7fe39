using Federated.Shared.Randomness;

namespace Federated.Simulator.Population;

/// <summary>What one kind of device can do; it feeds the modelled completion times and the energy estimate, never a real delay.</summary>
internal sealed record FleetProfile
{
    /// <summary>A desktop on Ethernet; what a fleet without profiles is made of.</summary>
    public static readonly FleetProfile Desktop = new()
    {
        Name = "desktop",
        Share = 1,
        ExamplesPerSecond = 5_000,
        DownlinkBytesPerSecond = 12_500_000,
        UplinkBytesPerSecond = 12_500_000,
    };

    /// <summary>For people, for example <c>pi5</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Part of the fleet, relative to the other profiles' shares; above 0.</summary>
    public required double Share { get; init; }

    /// <summary>Training examples a second; above 0.</summary>
    public required double ExamplesPerSecond { get; init; }

    /// <summary>Bytes a second it downloads; above 0.</summary>
    public required double DownlinkBytesPerSecond { get; init; }

    /// <summary>Bytes a second it uploads; above 0.</summary>
    public required double UplinkBytesPerSecond { get; init; }

    /// <summary>Power while it trains, in watts; 0 when unknown.</summary>
    public double Watts { get; init; }

    /// <summary>Energy of a byte sent or received, in joules; 0 when unknown.</summary>
    public double JoulesPerByte { get; init; }

    /// <summary>
    /// Deals profiles to devices: counts after the shares by largest remainder, places by a seeded shuffle.
    /// </summary>
    /// <param name="profiles">At least one; their shares need not sum to 1.</param>
    /// <param name="devices">How many devices.</param>
    /// <param name="seed">Decides who gets which.</param>
    public static FleetProfile[] Deal(IReadOnlyList<FleetProfile> profiles, int devices, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfZero(profiles.Count);
        double total = profiles.Sum(profile => profile.Share);
        double[] exact = [.. profiles.Select(profile => profile.Share / total * devices)];
        int[] counts = [.. exact.Select(value => (int)Math.Floor(value))];
        int missing = devices - counts.Sum();
        foreach (int i in Enumerable.Range(0, counts.Length).OrderByDescending(i => exact[i] - counts[i]).ThenBy(i => i).Take(missing))
        {
            counts[i]++;
        }

        FleetProfile[] fleet = [.. profiles.SelectMany((profile, i) => Enumerable.Repeat(profile, counts[i]))];
        SeededGenerator.For(seed, "fleet/profiles").Shuffle<FleetProfile>(fleet);
        return fleet;
    }
}
