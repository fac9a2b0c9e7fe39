namespace Federated.Simulator.Runs;

/// <summary>What another process must know to go on with a run, beside the scenario and the server's store: <c>run.json</c> in the run folder.</summary>
internal sealed record RunState
{
    /// <summary>The job on the run's own server.</summary>
    public required string JobId { get; init; }

    /// <summary>What the devices train with; another engine would give other numbers.</summary>
    public required string Engine { get; init; }

    /// <summary>Wall time of the processes so far, from the submission or the continuation on.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>Their processor time.</summary>
    public required double CpuSeconds { get; init; }

    /// <summary>Their largest resident memory.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Modelled energy of the accepted contributions, in µJ.</summary>
    public required long EnergyMicrojoules { get; init; }

    /// <summary>How many these are.</summary>
    public required long EnergyContributions { get; init; }
}
