namespace Federated.Simulator.Bench;

/// <summary>What the rounds of a load cost.</summary>
/// <param name="AdapterBytes">Bytes of the adapter as float32.</param>
/// <param name="Clients">Clients a round.</param>
/// <param name="Rounds">Rounds measured, after the warm-up.</param>
/// <param name="RoundSeconds">Median wall time of a round: from asking for the cohort to the committed state.</param>
/// <param name="UpdatesPerSecond">Accepted updates over the wall time of all measured rounds.</param>
/// <param name="ServerCpuSeconds">Mean processor time of the server process a round.</param>
/// <param name="ServerPeakMemoryBytes">Largest resident set of the server process.</param>
/// <param name="DurableWrites">Median number of writes that the updates of a round shared.</param>
internal sealed record RoundCost(
    long AdapterBytes,
    int Clients,
    int Rounds,
    double RoundSeconds,
    double UpdatesPerSecond,
    double ServerCpuSeconds,
    long ServerPeakMemoryBytes,
    double DurableWrites);
