using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Jobs;
using Federated.Server.Reports;
using Federated.Server.Rounds;
using Federated.Simulator.Runs;

namespace Federated.Simulator.Reports;

/// <summary>Writes <c>report.html</c>: the run as one file that can be mailed, with every figure of the summary.</summary>
internal static class RunReport
{
    /// <summary>Name of the file in the run folder.</summary>
    public const string FileName = "report.html";

    /// <summary>Writes it.</summary>
    public static async Task WriteAsync(
        RunRequest request, RunSummary summary, ServerApiClient api, JobStatus job, IReadOnlyList<RoundRecord> rounds, DateTimeOffset now)
    {
        RoundTimeline? last = null;
        try
        {
            last = await ReportCommand.LastTimelineAsync(api, job, CancellationToken.None);
        }
        catch (ServerApiException)
        {
            // A run that failed with its server has a report all the same.
        }

        await File.WriteAllTextAsync(request.Folder.Of(FileName), JobReport.Write(new JobReportContent
        {
            Job = job,
            SettingsJson = request.Scenario.Json,
            Rounds = rounds,
            LastTimeline = last,
            Figures = [.. Figures(summary)],
            Surroundings = JobReportContent.Here(),
            WrittenAt = now,
        }));
    }

    /// <summary>The summary's single values by the names they have in <c>summary.json</c>.</summary>
    private static IEnumerable<(string, string)> Figures(RunSummary summary)
    {
        foreach ((string name, JsonNode? value) in JsonSerializer.SerializeToNode(summary, ReportJson.Indented)!.AsObject())
        {
            if (value is JsonValue single)
            {
                yield return (name, Convert.ToString(single.ToString(), CultureInfo.InvariantCulture)!);
            }
        }
    }
}
