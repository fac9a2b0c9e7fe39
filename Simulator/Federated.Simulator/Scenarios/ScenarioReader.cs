using System.Text.Json.Nodes;
using Federated.Server.Jobs;
using Federated.Shared.Models;

namespace Federated.Simulator.Scenarios;

/// <summary>A scenario, and the same as text with all overrides and completions in it.</summary>
/// <param name="Scenario">What is run.</param>
/// <param name="Tree">The tree it was read from.</param>
internal sealed record ReadScenario(Scenario Scenario, JsonNode Tree)
{
    /// <summary>The job as it is submitted.</summary>
    public string JobJson => Tree["job"]!.ToJsonString(StrictJson.Options);

    /// <summary>The whole as it is kept in the run folder.</summary>
    public string Json => Tree.ToJsonString(StrictJson.Options);
}

/// <summary>Turns a scenario's text and overrides into a scenario.</summary>
internal static class ScenarioReader
{
    // What a published count of rounds was counted with. Rates, server and codec are not among it: they are what runs are compared in.
    private static readonly string[][] _publishedSettings =
    [
        ["job", "model"], ["job", "cohort", "goal"], ["job", "targetAccuracy"], ["job", "training", "epochs"], ["job", "training", "batchSize"],
        ["job", "training", "maxSteps"], ["job", "evaluation", "data"], ["job", "evaluation", "limit"], ["population"], ["data"], ["faults"],
    ];

    /// <summary>
    /// Applies the overrides, completes what a scenario may leave out of its job (name, population, cohort.minimumPool) and checks everything.
    /// Overrides that make another experiment of it take the published figure away, unless they state one.
    /// </summary>
    /// <param name="json">The scenario's text.</param>
    /// <param name="overrides"><c>key=value</c>, applied in order.</param>
    /// <param name="populationSuffix">What follows the scenario's name in a population that is left out, so that it is this run's alone; null for the name itself.</param>
    /// <exception cref="InvalidSettingsException">It is refused; every problem is told with path, value and what is allowed.</exception>
    public static ReadScenario Read(string json, IEnumerable<string> overrides, string? populationSuffix = null)
    {
        JsonNode tree = StrictJson.Parse(json);
        JsonNode original = tree.DeepClone();
        foreach (string assignment in overrides)
        {
            StrictJson.ApplyOverride(tree, SettingPaths.Complete(assignment));
        }

        if (tree is JsonObject scenario && !ComparesWithPublished(original, tree))
        {
            scenario.Remove("published");
        }

        CompleteJob(tree, populationSuffix);
        return new ReadScenario(StrictJson.Read<Scenario>(tree), tree);
    }

    /// <summary>
    /// Makes the example files absolute and demands those this process reads.
    /// </summary>
    /// <param name="read">Changed in place and read anew.</param>
    /// <param name="folder">Where relative paths start.</param>
    /// <param name="readsHeldOut">Whether the server that reads the held-out examples runs here.</param>
    /// <param name="demandsBase">Whether the weights to start from are read here, and so must be there already.</param>
    /// <param name="readsPretraining">Whether the examples of the pretraining are read here, in the place of the devices'.</param>
    /// <exception cref="InvalidSettingsException">A file does not exist.</exception>
    public static ReadScenario Locate(ReadScenario read, string folder, bool readsHeldOut, bool demandsBase = true, bool readsPretraining = false)
    {
        List<SettingProblem> problems = [];
        Resolve(read.Tree["data"], "data", folder, !readsPretraining, problems);
        Resolve(read.Tree["job"]?["evaluation"]?["data"], "job.evaluation.data", folder, readsHeldOut, problems);
        Resolve(read.Tree["pretraining"]?["data"], "pretraining.data", folder, readsPretraining, problems);
        if (read.Scenario.Job.Model.Base is { } start && !ContentHash.TryParse(start, out _))
        {
            ResolveKey(read.Tree["job"]!["model"]!.AsObject(), "job.model", "base", folder, demandsBase, problems);
        }

        return problems.Count == 0
            ? new ReadScenario(StrictJson.Read<Scenario>(read.Tree), read.Tree)
            : throw new InvalidSettingsException(problems);
    }

    private static bool ComparesWithPublished(JsonNode original, JsonNode overridden) =>
        !JsonNode.DeepEquals(At(original, ["published"]), At(overridden, ["published"]))
        || _publishedSettings.All(path => JsonNode.DeepEquals(At(original, path), At(overridden, path)));

    private static JsonNode? At(JsonNode tree, string[] path) => path.Aggregate((JsonNode?)tree, (node, key) => (node as JsonObject)?[key]);

    private static void CompleteJob(JsonNode tree, string? populationSuffix)
    {
        if (tree is not JsonObject scenario || scenario["job"] is not JsonObject job)
        {
            return;
        }

        string? name = scenario["name"] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
        string? population = populationSuffix is null ? name : $"{name}-{populationSuffix}";
        foreach ((string key, string? completion) in new[] { ("name", name), ("population", population) })
        {
            if (name is not null && !job.ContainsKey(key))
            {
                job[key] = completion;
            }
        }

        // Selection repeats only when every device waits; without the key that is what a scenario means.
        if (!job.ContainsKey("cohort"))
        {
            job["cohort"] = new JsonObject();
        }

        if (job["cohort"] is JsonObject cohort && !cohort.ContainsKey("minimumPool"))
        {
            cohort["minimumPool"] = (scenario["population"] as JsonObject)?["devices"]?.DeepClone() ?? new PopulationSettings().Devices;
        }
    }

    private static void Resolve(JsonNode? files, string path, string folder, bool demand, List<SettingProblem> problems)
    {
        if (files is not JsonObject section)
        {
            return;
        }

        foreach (string key in new[] { "images", "labels", "path" })
        {
            ResolveKey(section, path, key, folder, demand, problems);
        }
    }

    private static void ResolveKey(JsonObject section, string path, string key, string folder, bool demand, List<SettingProblem> problems)
    {
        if (section[key] is not JsonValue value || !value.TryGetValue(out string? file))
        {
            return;
        }

        string absolute = Path.GetFullPath(file, folder);
        section[key] = absolute;
        if (demand && !Path.Exists(absolute))
        {
            problems.Add(new SettingProblem(
                SettingProblem.At(path, key), absolute, "a file that exists; --data names the folder that relative paths start from"));
        }
    }
}
