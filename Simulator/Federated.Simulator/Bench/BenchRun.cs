using Federated.Server.Jobs;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.Bench;

/// <summary>One silent run of a scenario, of which only the summary is kept.</summary>
internal static class BenchRun
{
    /// <summary>Runs it on all processors.</summary>
    /// <param name="scenario">Name of a scenario built in, or path of a scenario file.</param>
    /// <param name="overrides">Settings as <c>key=value</c>; later ones win.</param>
    /// <param name="ct">Ends the run.</param>
    /// <exception cref="InvalidSettingsException">The scenario or a setting is refused.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public static async Task<RunSummary> SummaryAsync(string scenario, IEnumerable<string> overrides, CancellationToken ct)
    {
        (string text, string home) = ScenarioCatalog.Find(scenario);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-bench-");
        try
        {
            ReadScenario read = ScenarioReader.Locate(ScenarioReader.Read(text, overrides), home, readsHeldOut: true);
            RunFolder output = RunFolder.Open(Path.Combine(folder.FullName, "run"), read.Scenario.Name, read.Scenario.Job.Seed, Environment.CurrentDirectory);
            RunRequest request = new() { Scenario = read, Folder = output, Threads = Environment.ProcessorCount, Server = null };
            RunSummary summary = await new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(ct);
            ct.ThrowIfCancellationRequested();
            return summary;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
