using Federated.Simulator.Reports;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.Runs;

/// <summary>What a person asked for.</summary>
internal sealed record RunRequest
{
    /// <summary>What to run; its files are located.</summary>
    public required ReadScenario Scenario { get; init; }

    /// <summary>Where results go.</summary>
    public required RunFolder Folder { get; init; }

    /// <summary>Devices that train at a time, and threads of the embedded server's evaluation.</summary>
    public required int Threads { get; init; }

    /// <summary>HTTP API of a running server; null starts one in this process.</summary>
    public required Uri? Server { get; init; }
}
