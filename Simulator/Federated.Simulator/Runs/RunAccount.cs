using System.Globalization;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Simulator.Reports;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.Runs;

/// <summary>Puts a run into words and numbers: its headline before, its summary after.</summary>
internal static class RunAccount
{
    /// <summary>What is about to be run.</summary>
    public static RunHeadline Headline(RunRequest request, SimulationServer server, int examples)
    {
        Scenario scenario = request.Scenario.Scenario;
        return new RunHeadline
        {
            Scenario = scenario.Name,
            Description = scenario.Description,
            Published = Published(scenario),
            Seed = scenario.Job.Seed,
            Devices = scenario.Population.Devices,
            Goal = scenario.Job.Cohort.Goal,
            Rounds = scenario.Job.Rounds,
            TargetAccuracy = scenario.Job.TargetAccuracy,
            Model = ModelWording.Of(scenario.Job.Model),
            Partition = $"{examples:N0} examples, {scenario.Population.Partition.ToString().ToLowerInvariant()}",
            Updates = UpdatesOf(scenario),
            Notes = [.. NotesOf(scenario, continued: request.Earlier is not null)],
            Folder = request.Folder.Path,
            Continued = request.Earlier is not null,
            Population = scenario.Job.Population,
            Api = server.Api.Address,
            Embedded = server.IsEmbedded,
            Engine = request.Engine.Name,
            Threads = request.Threads,
        };
    }

    /// <summary>Secure aggregation, how to have it when it is off, codec, LoRA, privacy and drop-outs.</summary>
    internal static string UpdatesOf(Scenario scenario)
    {
        JobSpec job = scenario.Job;
        List<string> words =
        [
            job.Aggregation.Secure is null
                ? $"secure aggregation off, the server sees every update (on: run --scenario {ScenarioCatalog.DefaultName})"
                : "secure aggregation on, the server sees sums alone",
            $"codec {AllowedNameOf(job.Update.Codec)}",
        ];
        if (job.Model.Lora is not null)
        {
            words.Add("LoRA factors");
        }

        if (job.Privacy is { } privacy)
        {
            words.Add(string.Create(CultureInfo.InvariantCulture, $"{privacy.Mechanism.ToString().ToLowerInvariant()} noise, multiplier {privacy.NoiseMultiplier}"));
        }

        if (scenario.Faults.DropRate > 0)
        {
            words.Add(string.Create(CultureInfo.InvariantCulture, $"{100 * scenario.Faults.DropRate:0.#} % of the selected devices drop out"));
        }

        return string.Join("; ", words);
    }

    /// <summary>What a person might not expect: that runs do not repeat because selection does not wait for all devices, and what a continued run has lost.</summary>
    internal static IEnumerable<string> NotesOf(Scenario scenario, bool continued)
    {
        CohortSettings cohort = scenario.Job.Cohort;
        int devices = scenario.Population.Devices;
        int waiting = Math.Max(cohort.MinimumPool, cohort.CohortSize);
        if (waiting < devices)
        {
            yield return $"runs do not repeat: a cohort is selected when {waiting} of the {devices} devices wait, whoever they are; "
                + "job.cohort.minimumPool, when left out, lets it wait for all";
        }

        if (continued && scenario.Job.Aggregation.Lora is { Rule: LoraRuleKind.Fedsa })
        {
            yield return "the factors that each device keeps to itself begin anew: simulated devices have them in memory alone";
        }
    }

    private static string AllowedNameOf(UpdateCodec codec) => codec switch
    {
        UpdateCodec.TopK => "top-k",
        _ => codec.ToString().ToLowerInvariant(),
    };

    /// <summary>How the job ended.</summary>
    public static RunEnding EndingOf(JobStatus job, double? target) => job.State switch
    {
        JobState.Completed when job is { Privacy.Budget: not null, RoundsToTarget: null } && job.Round < job.MaxRounds =>
            new RunEnding(target is null ? RunOutcome.Completed : RunOutcome.TargetMissed, job.Reason),
        JobState.Completed when target is null => new RunEnding(RunOutcome.Completed, ""),
        JobState.Completed when job.RoundsToTarget is not null => new RunEnding(RunOutcome.TargetReached, ""),
        JobState.Completed => new RunEnding(RunOutcome.TargetMissed, ""),
        JobState.Cancelled => new RunEnding(RunOutcome.Interrupted, job.Reason),
        _ => new RunEnding(RunOutcome.Failed, job.Reason),
    };

    /// <summary>The closing account.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="ending">How it ended.</param>
    /// <param name="job">The job as last seen.</param>
    /// <param name="rounds">In order.</param>
    /// <param name="clock">Stopped.</param>
    /// <param name="joules">Modelled energy of a contribution, if any.</param>
    public static RunSummary Summary(
        RunRequest request, RunEnding ending, JobStatus job, IReadOnlyList<RoundRecord> rounds, RunClock clock, double? joules)
    {
        Scenario scenario = request.Scenario.Scenario;
        RunTotals totals = RunTotals.Of(rounds, scenario.Job.TargetAccuracy);
        double wallSeconds = clock.Elapsed.TotalSeconds;
        return new RunSummary
        {
            Scenario = scenario.Name,
            Seed = scenario.Job.Seed,
            Outcome = ending.Outcome,
            Reason = ending.Reason,
            Devices = scenario.Population.Devices,
            Rounds = totals.Rounds,
            AbandonedRounds = totals.Abandoned,
            TargetAccuracy = scenario.Job.TargetAccuracy,
            RoundsToTarget = totals.RoundsToTarget,
            InitialAccuracy = job.InitialAccuracy,
            InitialLoss = job.InitialLoss,
            FinalAccuracy = totals.LastEvaluation?.Accuracy,
            FinalLoss = totals.LastEvaluation?.Loss,
            Published = Published(scenario),
            WallSeconds = wallSeconds,
            SetupSeconds = clock.SetupSeconds,
            CpuSeconds = clock.CpuSeconds,
            ClientUpdates = totals.Accepted,
            ClientUpdatesPerSecond = wallSeconds > 0 ? totals.Accepted / wallSeconds : 0,
            BytesUpPerClientRound = totals.BytesUpPerClientRound,
            BytesDownPerClientRound = totals.BytesDownPerClientRound,
            DenseFullModelBytes = job.DenseFullModelBytes,
            DenseAdapterBytes = job.DenseAdapterBytes,
            Dropped = totals.Dropped.Values.Sum(),
            DroppedByReason = totals.Dropped,
            Late = totals.Late,
            RefusedByOutcome = totals.Refused,
            PeakMemoryBytes = clock.PeakMemoryBytes,
            EnergyJoulesPerClientRound = joules,
            AveragingBias = totals.AveragingBias,
            Privacy = job.Privacy is { } spent
                ? new RunPrivacy(spent.Epsilon, spent.Delta, spent.Budget, spent.Participations, spent.Statement)
                : null,
            Engine = request.Engine.Name,
            Threads = request.Threads,
            AdapterSha256 = totals.AdapterSha256,
            Machine = RunMachine.Here(),
        };
    }

    private static PublishedFigure? Published(Scenario scenario) =>
        scenario.Published is { } published ? new PublishedFigure(published.RoundsToTarget, published.Source) : null;
}

/// <summary>How a run ended, and why when that needs saying.</summary>
internal readonly record struct RunEnding(RunOutcome Outcome, string Reason);
