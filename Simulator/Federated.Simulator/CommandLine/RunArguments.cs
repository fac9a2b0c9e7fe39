using Federated.Client.Engines;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.CommandLine;

/// <summary>The options of <c>run</c> as they were given.</summary>
internal sealed record RunArguments
{
    /// <summary>A name or a file.</summary>
    public string Scenario { get; init; } = ScenarioCatalog.DefaultName;

    /// <summary><c>key=value</c>, in order.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Replaces job.seed.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Training threads.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>What trains.</summary>
    public string Engine { get; init; } = TrainingEngines.Onnx;

    /// <summary>Run folder.</summary>
    public string? Out { get; init; }

    /// <summary>Folder of the example files.</summary>
    public string? Data { get; init; }

    /// <summary>Folder of a run that goes on; null begins one.</summary>
    public string? Resume { get; init; }

    /// <summary>HTTP API of a running server.</summary>
    public string? Server { get; init; }

    /// <summary>Whether the embedded server, and its pages with it, stay after the run.</summary>
    public bool KeepServing { get; init; }

    /// <summary>Only the summary, as JSON, on standard output.</summary>
    public bool Json { get; init; }

    /// <summary>Only the closing lines.</summary>
    public bool Quiet { get; init; }
}
