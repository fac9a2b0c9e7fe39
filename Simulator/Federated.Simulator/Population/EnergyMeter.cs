namespace Federated.Simulator.Population;

/// <summary>
/// Modelled energy of the accepted contributions: watts × modelled training seconds + joules a byte × bytes moved. Kept in whole
/// microjoules, so that the sum does not depend on the order of arrival. Thread-safe.
/// </summary>
/// <param name="microjoules">What earlier processes of the same run added.</param>
/// <param name="contributions">How many contributions that were.</param>
internal sealed class EnergyMeter(long microjoules = 0, long contributions = 0)
{
    private long _microjoules = microjoules;
    private long _contributions = contributions;

    /// <summary>Adds a contribution.</summary>
    /// <param name="profile">The device's.</param>
    /// <param name="examples">Examples it stepped over.</param>
    /// <param name="bytes">Bytes it sent and received.</param>
    public void Add(FleetProfile profile, double examples, long bytes)
    {
        double joules = (profile.Watts * examples / profile.ExamplesPerSecond) + (profile.JoulesPerByte * bytes);
        Interlocked.Add(ref _microjoules, (long)Math.Round(joules * 1e6));
        Interlocked.Increment(ref _contributions);
    }

    /// <summary>The sum, and how many contributions it is of.</summary>
    public (long Microjoules, long Contributions) Totals => (Interlocked.Read(ref _microjoules), Interlocked.Read(ref _contributions));

    /// <summary>Mean over the contributions, in joules; null when there is none, or no profile states any energy.</summary>
    public double? JoulesPerContribution
    {
        get
        {
            (long microjoules, long contributions) = Totals;
            return contributions == 0 || microjoules == 0 ? null : microjoules / 1e6 / contributions;
        }
    }
}
