using Federated.Client.Engines;
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

    /// <summary>What the devices train with.</summary>
    public ITrainingEngine Engine { get; init; } = TrainingEngines.Open(TrainingEngines.Onnx, threads: 1);

    /// <summary>HTTP API of a running server; null starts one in this process.</summary>
    public required Uri? Server { get; init; }

    /// <summary>Where an earlier process left the run, which then goes on; null begins it.</summary>
    public RunState? Earlier { get; init; }

    /// <summary>What happens when the results are written and the server, at this address, still runs; null for nothing.</summary>
    public Func<RunSummary, Uri, CancellationToken, Task>? Afterwards { get; init; }
}
