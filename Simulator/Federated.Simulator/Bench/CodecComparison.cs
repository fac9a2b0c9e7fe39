using System.Globalization;
using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Simulator.Reports;

namespace Federated.Simulator.Bench;

/// <summary>A way of sending updates, as settings of a job.</summary>
/// <param name="Name">As the table shows it.</param>
/// <param name="SettingsIn">Overrides that make a scenario, given by its name, send its updates so.</param>
/// <param name="Only">The one scenario that it is for; null for all.</param>
internal sealed record CodecChoice(string Name, Func<string, IReadOnlyList<string>> SettingsIn, string? Only = null)
{
    /// <summary>Whether a scenario, given by its name, is compared in this way.</summary>
    public bool IsFor(string scenario) => Only is null || Only == scenario;
}

/// <summary>What one run came to.</summary>
/// <param name="Scenario">The scenario.</param>
/// <param name="Codec">The choice's name.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Settings">Settings that were overridden in all runs, in the order given.</param>
/// <param name="Rounds">Rounds that were run.</param>
/// <param name="Accuracy">Held-out accuracy in the end, 0 to 1; null when the job failed.</param>
/// <param name="Loss">Held-out loss in the end, in nats; null when it is no number any more.</param>
/// <param name="BytesUp">Encoded bytes up a client and round.</param>
/// <param name="BytesDown">Encoded bytes down a client and round.</param>
/// <param name="AdapterBytes">The adapter in float32.</param>
/// <param name="ModelBytes">The full model in float32.</param>
/// <param name="AbandonedRounds">Rounds without enough updates, as when training diverges.</param>
/// <param name="Failure">Why the job failed; empty when it completed.</param>
/// <param name="InitialAccuracy">Held-out accuracy before the first round, 0 to 1; null when the run did not measure it.</param>
/// <param name="InitialLoss">Held-out loss before the first round, in nats; null when the run did not measure it.</param>
internal sealed record CodecRun(
    string Scenario,
    string Codec,
    ulong Seed,
    string Settings,
    long Rounds,
    double? Accuracy,
    double? Loss,
    double BytesUp,
    double BytesDown,
    long AdapterBytes,
    long ModelBytes,
    long AbandonedRounds,
    string Failure,
    double? InitialAccuracy = null,
    double? InitialLoss = null);

/// <summary>
/// Runs scenarios once for every way of sending updates and every seed. Each finished run is a line of a JSON-lines file, and runs that the file
/// has are not run again: the comparison takes hours and may be stopped at any time.
/// </summary>
internal static class CodecComparison
{
    private const string LanguageModel = "sotu-gpt-lora";

    /// <summary>The choice that the others are compared with.</summary>
    public const string Dense = "dense";

    /// <summary>What is compared, unless told otherwise.</summary>
    public static IReadOnlyList<string> Scenarios { get; } = ["mnist-2nn-iid", "mnist-vit-lora", LanguageModel];

    /// <summary>Every choice.</summary>
    public static IReadOnlyList<CodecChoice> Choices { get; } =
    [
        new(Dense, _ => ["job.update.codec=dense"]),
        new("quantized, 8 bits", _ => ["job.update.codec=quantized", "job.update.valueBits=8"]),
        .. new[] { 0.1, 0.01, 0.001 }.Select(TopK),
        new("stc 1 %", _ => ["job.update.codec=stc", "job.update.density=0.01"]),
        .. new[] { 0.1, 0.05, 0.02, 0.01 }.SelectMany(density => new[] { 8, 12 }.SelectMany(bits => new[] { "random", "momentum", "voted" }.Select(set => Linear(density, bits, set)))),

        // Steps along random directions are plain ones; they diverge at the rates of gradients, and sooner the fewer examples a step has.
        new("128 seeded directions", _ => ["job.update.codec=dense", """job.training.directions={"count":128}""", "job.training.optimizer=sgd", "job.training.learningRate=0.003", "job.training.batchSize=50"]),

        // Where so little is sent there can be more rounds, and longer ones. Smaller steps on the devices make less noise where what is sent is scaled by
        // P/k, and 5 bits leave room for more coordinates than 8 in as many bytes.
        new(
            "240 rounds, linear 4.2 %, 5 bits, random",
            _ =>
            [
                "job.update.codec=linear",
                "job.update.density=0.042",
                "job.update.valueBits=5",
                "job.update.clipQuantile=0.7",
                ServerOf("fedAvg", 0, 0.2),
                "job.training.learningRate=0.001",
                "job.training.maxSteps=200",
                "job.rounds=240",
                "job.evaluation.every=60",
            ],
            LanguageModel),
    ];

    /// <summary>The file's runs; none when it does not exist.</summary>
    /// <exception cref="FormatException">A line is none.</exception>
    public static async Task<IReadOnlyList<CodecRun>> ReadAsync(string path, CancellationToken ct)
    {
        List<CodecRun> runs = [];
        foreach (string line in File.Exists(path) ? await File.ReadAllLinesAsync(path, ct) : [])
        {
            try
            {
                runs.Add(JsonSerializer.Deserialize<CodecRun>(line, ReportJson.Line) ?? throw new JsonException("The line is null."));
            }
            catch (JsonException e)
            {
                throw new FormatException($"Line {runs.Count + 1} of {path} is no finished run: {e.Message} Give --out another file, or delete the line.");
            }
        }

        return runs;
    }

    /// <summary>Runs a scenario in one way. A run whose job fails, as when training diverges, is a result too.</summary>
    /// <param name="scenario">Name of a scenario built in, or path of a scenario file.</param>
    /// <param name="choice">How updates are sent.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="overrides">Further settings as <c>key=value</c>; they win.</param>
    /// <param name="ct">Ends the run.</param>
    /// <exception cref="InvalidSettingsException">The scenario or a setting is refused.</exception>
    public static async Task<CodecRun> RunAsync(string scenario, CodecChoice choice, ulong seed, IReadOnlyList<string> overrides, CancellationToken ct)
    {
        RunSummary summary = await BenchRun.SummaryAsync(
            scenario, ["job.targetAccuracy=null", $"job.seed={seed.ToString(CultureInfo.InvariantCulture)}", .. choice.SettingsIn(scenario), .. overrides], ct);
        bool completed = summary.Outcome is RunOutcome.Completed;
        return new CodecRun(
            scenario,
            choice.Name,
            seed,
            string.Join(' ', overrides),
            summary.Rounds,
            completed ? summary.FinalAccuracy : null,
            completed && summary.FinalLoss is { } loss && double.IsFinite(loss) ? loss : null,
            summary.BytesUpPerClientRound,
            summary.BytesDownPerClientRound,
            summary.DenseAdapterBytes,
            summary.DenseFullModelBytes,
            summary.AbandonedRounds,
            completed ? "" : summary.Reason,
            summary.InitialAccuracy,
            summary.InitialLoss);
    }

    private static CodecChoice TopK(double density) => new(
        FormattableString.Invariant($"top-k {100 * density:0.##} %, 8 bits"),
        _ => ["job.update.codec=top-k", FormattableString.Invariant($"job.update.density={density}"), "job.update.valueBits=8"]);

    // What a random or voted set leaves of an update's norm depends on its size, so the clip norm follows the updates. A momentum set's clip norm
    // stays, because momentum that grows with what is clipped diverges; it needs a server with momentum, where half the rate at half the momentum
    // steps as far in the end.
    private static CodecChoice Linear(double density, int bits, string set) => new(
        FormattableString.Invariant($"linear {100 * density:0.##} %, {bits} bits, {set}"),
        scenario =>
        [
            "job.update.codec=linear",
            FormattableString.Invariant($"job.update.density={density}"),
            FormattableString.Invariant($"job.update.valueBits={bits}"),
            $"job.update.indexSet={set}",
            .. set switch
            {
                "momentum" => (string[])[ServerOf("fedAvgM", 0.5, RandomSetRate(scenario, density) / 2)],
                "random" => ["job.update.clipQuantile=0.9", ServerOf("fedAvg", 0, RandomSetRate(scenario, density))],
                _ => ["job.update.clipQuantile=0.9", ServerOf("fedAvg", 0, VotedSetRate(scenario))],
            },
        ]);

    private static string ServerOf(string optimizer, double momentum, double rate) => FormattableString.Invariant(
        $$"""job.server={"optimizer":"{{optimizer}}","momentum":{{momentum}},"learningRate":{{rate}}}""");

    // Server rates as they did best. A random set is scaled by P/k, and its noise with it, so the server steps less far the fewer coordinates there
    // are; the language model, where two devices take part in a round, bears half of it.
    private static double RandomSetRate(string scenario, double density) => (scenario == LanguageModel ? 0.5 : 1) * density switch
    {
        >= 0.1 => 1,
        >= 0.05 => 0.5,
        >= 0.02 => 0.3,
        _ => 0.2,
    };

    // What a voted set kept back comes late and at once; devices with Adam's steps, whose updates do not shrink as the model gets better, bear half of it.
    private static double VotedSetRate(string scenario) => scenario is "mnist-vit-lora" or LanguageModel ? 0.5 : 1;
}
