namespace Federated.Simulator.Population;

/// <summary>
/// Modelled energy of the accepted contributions: watts × modelled training seconds + joules a byte × bytes moved. Kept in whole
/// microjoules, so that the sum does not depend on the order of arrival. Thread-safe.
/// </summary>
internal sealed class EnergyMeter
{
    private long _microjoules;
    private long _contributions;

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

    /// <summary>Mean over the contributions, in joules; null when there is none, or no profile states any energy.</summary>
    public double? JoulesPerContribution
    {
        get
        {
            long contributions = Interlocked.Read(ref _contributions);
            long microjoules = Interlocked.Read(ref _microjoules);
            return contributions == 0 || microjoules == 0 ? null : microjoules / 1e6 / contributions;
        }
    }
}
