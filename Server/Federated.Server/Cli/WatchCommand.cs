using System.CommandLine;
using System.Text.Json;
using Federated.Server.Api;
using Federated.Server.Events;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Cli;

/// <summary><c>jobs watch</c>: follows a job line by line until it ends.</summary>
internal static class WatchCommand
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(2);

    /// <summary>The verb. Exit code 0 when the job completed, 1 when it ended otherwise.</summary>
    public static Command Build(Option<Uri> server, Option<bool> json)
    {
        Argument<string> id = new("job") { Description = "The job's identifier." };
        Command command = new("watch", "Follow a job until it ends; with --json, one event a line.") { id, server, json };
        command.SetAction(async (parsed, ct) =>
        {
            using ServerApiClient api = AccessArguments.ClientOf(parsed, parsed.GetValue(server)!);
            return await new Watch(api, parsed.GetValue(id)!, parsed.GetValue(json), Console.Out, TimeProvider.System).RunAsync(ct);
        });
        return command;
    }

    /// <summary>One watching of one job.</summary>
    internal sealed class Watch(ServerApiClient api, string jobId, bool json, TextWriter output, TimeProvider time)
    {
        private long _lastRound;
        private long? _lastEvent;

        /// <summary>Watches until the job ends; survives a server that is started again.</summary>
        public async Task<int> RunAsync(CancellationToken ct)
        {
            JobStatus job = await api.GetJobAsync(jobId, ct);
            while (true)
            {
                try
                {
                    // The stream first, the state then: what happens in between comes twice and not never.
                    IAsyncEnumerable<ServerEvent> events = await api.EventsAsync(jobId, _lastEvent, ct);
                    job = await CatchUpAsync(ct);
                    if (IsOver(job))
                    {
                        return Code(job);
                    }

                    await foreach (ServerEvent happened in events)
                    {
                        _lastEvent = happened.EventId;
                        job = happened is EventsMissed ? await CatchUpAsync(ct) : Show(happened) ?? job;
                        if (IsOver(job))
                        {
                            return Code(job);
                        }
                    }
                }
                catch (ServerApiException e) when (e.IsTransient)
                {
                    Console.Error.WriteLine(e.Message);
                }

                await Task.Delay(_pause, time, ct);
            }
        }

        private static bool IsOver(JobStatus job) => job.State is not (JobState.Running or JobState.Paused);

        private static int Code(JobStatus job) => job.State == JobState.Completed ? 0 : 1;

        private async Task<JobStatus> CatchUpAsync(CancellationToken ct)
        {
            JobStatus job = await api.GetJobAsync(jobId, ct);
            foreach (RoundRecord record in await api.RoundsAsync(jobId, _lastRound, TimeSpan.Zero, ct))
            {
                Show(new RoundRecorded(record));
            }

            Show(new JobChanged(job));
            return job;
        }

        private JobStatus? Show(ServerEvent happened)
        {
            // The record of a round that is known already: a device was late, or refused.
            if (happened is RoundRecorded { Record: { } record } && record.Round <= _lastRound)
            {
                return null;
            }

            _lastRound = happened is RoundRecorded recorded ? recorded.Record.Round : _lastRound;
            if (json)
            {
                output.WriteLine(JsonSerializer.Serialize(
                new { kind = happened.Kind, @event = JsonSerializer.SerializeToElement(happened, happened.GetType(), RoundRecords.Json) }, RoundRecords.Json));
            }
            else if (LineOf(happened) is { } line)
            {
                output.WriteLine(line);
            }

            return (happened as JobChanged)?.Job;
        }

        private static string? LineOf(ServerEvent happened) => happened switch
        {
            JobChanged { Job: { } job } => FormattableString.Invariant($"job {job.JobId} {Lower(job.State)} {job.Round}/{job.MaxRounds}{(job.Reason.Length > 0 ? ": " + job.Reason : "")}"),
            RoundStageChanged stage => FormattableString.Invariant($"round {stage.Round} {Lower(stage.Stage)}{(stage.Selected > 0 ? FormattableString.Invariant($" {stage.Selected} devices, goal {stage.Goal}") : "")}"),
            RoundProgressed { Progress: { } p } => FormattableString.Invariant($"round {p.Round} training {p.Training} uploading {p.Uploading} done {p.Done} dropped {p.Dropped}"),
            RoundRecorded { Record: { } r } => FormattableString.Invariant(
                $"round {r.Round} {Lower(r.Outcome)} {r.Accepted}/{r.Selected} updates, {ScoreText.Named(r.Evaluation)}, {r.BytesUp:N0} bytes up, {r.Timing.TotalSeconds:F2} s {r.Reason}").TrimEnd(),
            _ => null,
        };

        private static string Lower<T>(T value)
            where T : struct, Enum => value.ToString().ToLowerInvariant();
    }
}
