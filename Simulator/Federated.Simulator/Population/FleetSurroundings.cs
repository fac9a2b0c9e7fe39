using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Simulator.Faults;

namespace Federated.Simulator.Population;

/// <summary>What all devices of a fleet share. Thread-safe.</summary>
internal sealed record FleetSurroundings
{
    /// <summary>Model packages, and the workspaces that training waits for.</summary>
    public required ModelCache Models { get; init; }

    /// <summary>How sessions behave.</summary>
    public required SessionOptions Session { get; init; }

    /// <summary>Who drops out, and when the others are done.</summary>
    public required FaultModel Faults { get; init; }

    /// <summary>Whether lost devices say nothing, so that only the server's deadline finds them.</summary>
    public required bool SilentLosses { get; init; }

    /// <summary>Holds slow devices back.</summary>
    public required ArrivalGate Gate { get; init; }

    /// <summary>Sums up modelled energy.</summary>
    public required EnergyMeter Energy { get; init; }

    /// <summary>Deadlines and waits.</summary>
    public required TimeProvider Time { get; init; }
}
