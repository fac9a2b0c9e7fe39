using Federated.Simulator.Reports;

namespace Federated.Simulator.Runs;

/// <summary>What a person wants to know before the first round.</summary>
internal sealed record RunHeadline
{
    /// <summary>The scenario's name.</summary>
    public required string Scenario { get; init; }

    /// <summary>One sentence about it.</summary>
    public required string Description { get; init; }

    /// <summary>The figure to beat, if any.</summary>
    public required PublishedFigure? Published { get; init; }

    /// <summary>Seed of the run.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Simulated devices.</summary>
    public required int Devices { get; init; }

    /// <summary>Updates a round wants.</summary>
    public required int Goal { get; init; }

    /// <summary>Most rounds.</summary>
    public required long Rounds { get; init; }

    /// <summary>Target accuracy, 0 to 1.</summary>
    public required double? TargetAccuracy { get; init; }

    /// <summary>The model, for example <c>mlp 784-200-200-10</c>.</summary>
    public required string Model { get; init; }

    /// <summary>How the examples are dealt, for example <c>60,000 examples, iid</c>.</summary>
    public required string Partition { get; init; }

    /// <summary>How updates are written and who sees them.</summary>
    public required string Updates { get; init; }

    /// <summary>What a person might not expect of this run, a sentence each; mostly none.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Where results go.</summary>
    public required string Folder { get; init; }

    /// <summary>Whether an earlier process began the run.</summary>
    public required bool Continued { get; init; }

    /// <summary>The population that the simulated devices make up on the server.</summary>
    public required string Population { get; init; }

    /// <summary>The server's HTTP API.</summary>
    public required Uri Api { get; init; }

    /// <summary>Whether the server runs in this process.</summary>
    public required bool Embedded { get; init; }

    /// <summary>What the devices train with.</summary>
    public required string Engine { get; init; }

    /// <summary>Training threads.</summary>
    public required int Threads { get; init; }
}
