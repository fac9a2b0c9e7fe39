using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Federated.Simulator.Reports;

/// <summary>How a run ended.</summary>
internal enum RunOutcome
{
    /// <summary>The target accuracy was reached.</summary>
    TargetReached,

    /// <summary>All rounds were run, or the privacy budget was spent, and the scenario has no target.</summary>
    Completed,

    /// <summary>All rounds were run, or the privacy budget was spent, and the target was not reached.</summary>
    TargetMissed,

    /// <summary>Ctrl-C, or the job was cancelled.</summary>
    Interrupted,

    /// <summary>The job could not go on.</summary>
    Failed,
}

/// <summary>What a published experiment with the same settings needed.</summary>
/// <param name="RoundsToTarget">Rounds it took.</param>
/// <param name="Source">Where that is written.</param>
internal sealed record PublishedFigure(
    [property: Description("Rounds the publication needed to the same target.")] int RoundsToTarget,
    [property: Description("The publication, with table or section.")] string Source);

/// <summary>What differential privacy a run spent.</summary>
/// <param name="Epsilon">ε.</param>
/// <param name="Delta">δ.</param>
/// <param name="Budget">ε at which the job ends.</param>
/// <param name="Participations">Rounds of the busiest device.</param>
/// <param name="Statement">The guarantee in words.</param>
internal sealed record RunPrivacy(
    [property: Description("Epsilon that was spent.")] double Epsilon,
    [property: Description("Delta of the guarantee.")] double Delta,
    [property: Description("Epsilon at which the job ends; null without a limit.")] double? Budget,
    [property: Description("Rounds of the device that was in most sums.")] int Participations,
    [property: Description("The guarantee in words, with what it rests on.")] string Statement);

/// <summary>Where and with what a run was made.</summary>
internal sealed record RunMachine(
    [property: Description("Version of this software.")] string Version,
    [property: Description("The .NET runtime.")] string Runtime,
    [property: Description("Operating system.")] string System,
    [property: Description("Processor architecture.")] string Architecture,
    [property: Description("Processors this process may use.")] int Processors)
{
    /// <summary>This machine and process.</summary>
    public static RunMachine Here() => new(
        typeof(RunMachine).Assembly.GetName().Version!.ToString(3),
        RuntimeInformation.FrameworkDescription,
        RuntimeInformation.OSDescription,
        RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount);
}

/// <summary>The closing account of a run: <c>summary.json</c> and the only thing <c>--json</c> prints. Its schema is generated from this type.</summary>
internal sealed record RunSummary
{
    [Description("Name of the scenario.")]
    public required string Scenario { get; init; }

    [Description("Seed of everything random in the run.")]
    public required ulong Seed { get; init; }

    [Description("How the run ended.")]
    public required RunOutcome Outcome { get; init; }

    [Description("Why, when it failed, was interrupted or ended early because its privacy budget was spent; else empty.")]
    public required string Reason { get; init; }

    [Description("Simulated devices.")]
    public required int Devices { get; init; }

    [Description("Rounds that ended, committed or abandoned.")]
    public required long Rounds { get; init; }

    [Description("Rounds that ended without a new model.")]
    public required long AbandonedRounds { get; init; }

    [Description("Test accuracy asked for, 0 to 1; null when the job has no target.")]
    public required double? TargetAccuracy { get; init; }

    [Description("First round whose evaluation reached the target; null when none did.")]
    public required long? RoundsToTarget { get; init; }

    [Description("Test accuracy before the first round, 0 to 1; null when it was not evaluated.")]
    public required double? InitialAccuracy { get; init; }

    [Description("Mean test loss before the first round; null when it was not evaluated.")]
    public required double? InitialLoss { get; init; }

    [Description("Test accuracy of the last evaluated round, 0 to 1; null when none was evaluated.")]
    public required double? FinalAccuracy { get; init; }

    [Description("Mean test loss of the last evaluated round; null when none was evaluated.")]
    public required double? FinalLoss { get; init; }

    [Description("What a publication needed with these settings; null when the scenario names none.")]
    public required PublishedFigure? Published { get; init; }

    [Description("Seconds from the submission of the job to its end, by the wall clock.")]
    public required double WallSeconds { get; init; }

    [Description("Seconds before that: reading the data, dealing it, starting the server.")]
    public required double SetupSeconds { get; init; }

    [Description("Processor seconds of this process from the submission to the end; the server's included when it is embedded.")]
    public required double CpuSeconds { get; init; }

    [Description("Updates the server accepted, over all rounds.")]
    public required long ClientUpdates { get; init; }

    [Description("clientUpdates / wallSeconds.")]
    public required double ClientUpdatesPerSecond { get; init; }

    [Description("Encoded message bytes a contributor sent in a round, mean over all accepted updates.")]
    public required double BytesUpPerClientRound { get; init; }

    [Description("Encoded message bytes a contributor received in a round, mean over all accepted updates.")]
    public required double BytesDownPerClientRound { get; init; }

    [Description("Bytes of the full model as plain float32: the baseline of moving everything.")]
    public required long DenseFullModelBytes { get; init; }

    [Description("Bytes of the trainable parameters as plain float32.")]
    public required long DenseAdapterBytes { get; init; }

    [Description("Selected devices that gave up or never reported, over all rounds.")]
    public required long Dropped { get; init; }

    [Description("The same by reason.")]
    public required IReadOnlyDictionary<string, long> DroppedByReason { get; init; }

    [Description("Updates that came after their round had closed, over all rounds.")]
    public required long Late { get; init; }

    [Description("Submissions refused, by outcome, over all rounds.")]
    public required IReadOnlyDictionary<string, long> RefusedByOutcome { get; init; }

    [Description("Largest resident memory of this process, the server's included when it is embedded.")]
    public required long PeakMemoryBytes { get; init; }

    [Description("Modelled energy of a contributor in a round, from the profiles' watts and joules a byte; null when no profile states them.")]
    public required double? EnergyJoulesPerClientRound { get; init; }

    [Description("Mean over the rounds of how far the product of the averaged LoRA factors is from the averaged product, relative; null when no round tells it.")]
    public required double? AveragingBias { get; init; }

    [Description("Differential privacy that the job spent; null when it has none.")]
    public required RunPrivacy? Privacy { get; init; }

    [Description("Engine the devices trained with.")]
    public required string Engine { get; init; }

    [Description("Training threads the devices shared.")]
    public required int Threads { get; init; }

    [Description("SHA-256 of the last committed adapter document.")]
    public required string AdapterSha256 { get; init; }

    [Description("Machine and versions.")]
    public required RunMachine Machine { get; init; }
}
