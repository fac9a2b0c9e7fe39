using System.CommandLine;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Reports;
using Federated.Server.Rounds;

namespace Federated.Server.Cli;

/// <summary><c>jobs report</c>: one HTML file that can be mailed.</summary>
internal static class ReportCommand
{
    /// <summary>The verb.</summary>
    public static Command Build(Option<Uri> server)
    {
        Argument<string> id = new("job") { Description = "The job's identifier." };
        Option<FileInfo?> output = new("--out") { Description = "The file; JOB.html unless given." };
        Command command = new("report", "Write a job as one HTML file: plots, tables, settings.") { id, output, server };
        command.SetAction(async (parsed, ct) =>
        {
            using ServerApiClient api = AccessArguments.ClientOf(parsed, parsed.GetValue(server)!);
            string jobId = parsed.GetValue(id)!;
            string path = parsed.GetValue(output)?.FullName ?? Path.GetFullPath($"{jobId}.html");
            await File.WriteAllTextAsync(path, JobReport.Write(await ReadAsync(api, jobId, TimeProvider.System.GetUtcNow(), ct)), ct);
            Console.Out.WriteLine(path);
            return 0;
        });
        return command;
    }

    /// <summary>Reads what a report needs.</summary>
    public static async Task<JobReportContent> ReadAsync(ServerApiClient api, string jobId, DateTimeOffset now, CancellationToken ct)
    {
        JobStatus job = await api.GetJobAsync(jobId, ct);
        ServerDescription server = await api.DescribeAsync(ct);
        return new JobReportContent
        {
            Job = job,
            SettingsJson = await api.SpecAsync(jobId, ct),
            Rounds = await api.RoundsAsync(jobId, 0, TimeSpan.Zero, ct),
            LastTimeline = await LastTimelineAsync(api, job, ct),
            Surroundings = [("Server", $"{api.Address}, version {server.Version}, protocol {server.ProtocolVersion}"), .. JobReportContent.Here().Select(pair => (pair.Name + " of the command line", pair.Value))],
            WrittenAt = now,
        };
    }

    /// <summary>The devices of the job's last round; null when nothing is known of them any more.</summary>
    public static async Task<RoundTimeline?> LastTimelineAsync(ServerApiClient api, JobStatus job, CancellationToken ct)
    {
        try
        {
            return job.Round > 0 ? await api.TimelineAsync(job.JobId, job.Round, ct) : null;
        }
        catch (ServerApiException e) when (e.Error?.Code == (int)ErrorCode.NotFound)
        {
            return null;
        }
    }
}
