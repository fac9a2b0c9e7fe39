using System.Runtime.CompilerServices;
using System.Text;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;

namespace Federated.Server.Api;

/// <summary>Maps rounds and clients as tables.</summary>
internal static class ExportRoutes
{
    /// <summary>Adds the routes.</summary>
    public static void MapExports(this RouteGroupBuilder api)
    {
        api.MapGet("/jobs/{id}/export/rounds", async (string id, IGrainFactory grains, string? format = null) =>
        {
            _ = await FederatedApi.StatusAsync(grains, id);
            TableExport.Format written = TableExport.FormatOf(format);
            IReadOnlyList<RoundRecord> rounds = await FederatedApi.DemandJob(grains, id).Rounds(0, TimeSpan.Zero);
            return Stream(written, $"{id}-rounds", output => TableExport.WriteRoundsAsync(output, written, rounds));
        }).Says<string>("Every round of a job as a table; format csv or jsonl", "rounds", mediaType: "text/csv");
        api.MapGet("/jobs/{id}/export/clients", async (string id, IGrainFactory grains, RoundTimelines timelines, CancellationToken ct, string? format = null, long? round = null) =>
        {
            JobStatus job = await FederatedApi.StatusAsync(grains, id);
            TableExport.Format written = TableExport.FormatOf(format);
            long first = round ?? Math.Max(1, job.Round - RoundTimelines.KeptRounds + 1);
            long last = round ?? job.Round;
            if (round is not null && (first < 1 || await timelines.FindAsync(id, first, ct) is null))
            {
                throw new ProtocolViolationException(ErrorCode.NotFound, $"Job {id} has no timeline of round {round}.");
            }

            return Stream(written, $"{id}-clients", output => TableExport.WriteClientsAsync(output, written, RowsAsync(id, first, last, timelines, ct)));
        }).Says<string>("What every device did in every round whose timeline is kept, as a table; format csv or jsonl", "rounds", mediaType: "text/csv");
    }

    private static async IAsyncEnumerable<TableExport.ClientRow> RowsAsync(
        string jobId, long first, long last, RoundTimelines timelines, [EnumeratorCancellation] CancellationToken ct)
    {
        for (long round = first; round <= last; round++)
        {
            if (await timelines.FindAsync(jobId, round, ct) is { } timeline)
            {
                foreach (ClientTimeline client in timeline.Clients)
                {
                    yield return new TableExport.ClientRow(jobId, round, client);
                }
            }
        }
    }

    private static IResult Stream(TableExport.Format format, string name, Func<TextWriter, Task> write) => Results.Stream(
        async body =>
        {
            await using StreamWriter output = new(body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
            await write(output);
        },
        TableExport.MediaTypeOf(format),
        $"{name}.{(format == TableExport.Format.Csv ? "csv" : "jsonl")}");
}
