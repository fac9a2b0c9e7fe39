using System.Text;
using System.Text.Json;
using Federated.Server.Storage;
using Federated.Shared.Files;
using Federated.Simulator.Runs;

namespace Federated.Simulator.Reports;

/// <summary>The folder a run writes to: <c>rounds.jsonl</c>, <c>summary.json</c>, <c>scenario.json</c>, <c>run.json</c>, <c>report.html</c>, PNG plots and the embedded server's store.</summary>
internal sealed class RunFolder
{
    private const string Mark = "scenario.json";
    private const string State = "run.json";

    private RunFolder(string path) => Path = path;

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    /// <summary>The rounds.</summary>
    public string RoundsPath => Of(RoundLog.FileName);

    /// <summary>The closing account.</summary>
    public string SummaryPath => Of("summary.json");

    /// <summary>Where an embedded server keeps its models and state.</summary>
    public string ServerPath => Of("server");

    /// <summary>
    /// Takes the folder a person named, or else the first free <c>runs/SCENARIO-SEED-N</c>. A named folder must be new, empty, or hold an
    /// earlier run, which stays until <see cref="Clear"/>.
    /// </summary>
    /// <exception cref="IOException">The folder holds something that is not a run, or cannot be written.</exception>
    public static RunFolder Open(string? requested, string scenario, ulong seed, string workingDirectory)
    {
        RunFolder folder = new(requested is null
            ? FirstFree(System.IO.Path.Combine(workingDirectory, "runs"), $"{scenario}-{seed}")
            : System.IO.Path.GetFullPath(requested, workingDirectory));
        if (File.Exists(folder.Path))
        {
            throw new IOException($"--out: '{folder.Path}' is a file. Name a folder that is new, empty or holds an earlier run.");
        }

        if (Directory.Exists(folder.Path) && Directory.EnumerateFileSystemEntries(folder.Path).Any())
        {
            if (!File.Exists(folder.Of(Mark)))
            {
                throw new IOException(
                    $"--out: '{folder.Path}' is not empty and holds no earlier run (no {Mark}). Name a folder that is new, empty or holds an earlier run.");
            }
        }

        Directory.CreateDirectory(folder.Path);
        return folder;
    }

    /// <summary>Takes the folder of a run that goes on.</summary>
    /// <param name="requested">Where it is.</param>
    /// <param name="workingDirectory">Where a relative path starts.</param>
    /// <exception cref="IOException">The folder holds no run that can go on.</exception>
    public static RunFolder Reopen(string requested, string workingDirectory)
    {
        RunFolder folder = new(System.IO.Path.GetFullPath(requested, workingDirectory));
        string? missing = new[] { Mark, State }.FirstOrDefault(name => !File.Exists(folder.Of(name)));
        return missing is null
            ? folder
            : throw new IOException(
                $"--resume: '{folder.Path}' holds no run that can go on (no {missing}). Name the folder of a run that had its own server and was interrupted.");
    }

    /// <summary>Removes what an earlier run left, once nothing stands in the way of the new one.</summary>
    /// <exception cref="IOException">The earlier run is still under way, or its files cannot be removed.</exception>
    public void Clear()
    {
        if (Directory.Exists(ServerPath))
        {
            // Taken and let go: a run that is under way holds it.
            new FolderLock(ServerPath).Dispose();
        }

        foreach (string name in new[] { State, RoundLog.FileName, "summary.json", RunPlots.AccuracyFile, RunPlots.BytesFile, RunPlots.ParticipationFile, RunReport.FileName })
        {
            File.Delete(Of(name));
        }

        if (Directory.Exists(ServerPath))
        {
            Directory.Delete(ServerPath, recursive: true);
        }
    }

    /// <summary>A file of the folder.</summary>
    public string Of(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes the scenario as it was run, overrides included; it marks the folder as a run's.</summary>
    public Task WriteScenarioAsync(string json, CancellationToken cancellationToken) => ReplaceAsync(Of(Mark), json, cancellationToken);

    /// <summary>The scenario as it was run.</summary>
    public string ReadScenario() => File.ReadAllText(Of(Mark));

    /// <summary>Whether the run can go on in another process.</summary>
    public bool HasState => File.Exists(Of(State));

    /// <summary>Writes down where the run stands.</summary>
    public Task WriteStateAsync(RunState state) => ReplaceAsync(Of(State), JsonSerializer.Serialize(state, ReportJson.Indented), CancellationToken.None);

    /// <summary>Where the run stood.</summary>
    /// <exception cref="InvalidDataException">The file was not written by a run.</exception>
    public RunState ReadState()
    {
        try
        {
            return JsonSerializer.Deserialize<RunState>(File.ReadAllText(Of(State)), ReportJson.Indented) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"--resume: '{Of(State)}' says nothing about a run: {e.Message} Run the scenario anew with --out.", e);
        }
    }

    /// <summary>Writes the summary.</summary>
    public Task WriteSummaryAsync(RunSummary summary, CancellationToken cancellationToken) =>
        ReplaceAsync(SummaryPath, JsonSerializer.Serialize(summary, ReportJson.Indented), cancellationToken);

    private static Task ReplaceAsync(string path, string text, CancellationToken cancellationToken) =>
        ReplacedFile.WriteOpenAsync(path, Encoding.UTF8.GetBytes(text + "\n"), cancellationToken);

    private static string FirstFree(string parent, string stem)
    {
        int n = 1;
        while (Directory.Exists(System.IO.Path.Combine(parent, $"{stem}-{n}")))
        {
            n++;
        }

        return System.IO.Path.Combine(parent, $"{stem}-{n}");
    }
}
