using System.CommandLine;
using Federated.Server.Api;
using Federated.Server.Rounds;

namespace Federated.Server.Cli;

/// <summary>A round and what its devices did, as <c>rounds show</c> prints them.</summary>
/// <param name="Record">The round's statistics.</param>
/// <param name="Timeline">Its devices.</param>
internal sealed record RoundWithClients(RoundRecord Record, RoundTimeline Timeline);

/// <summary><c>rounds</c>: the rounds of a job, and one of them device by device.</summary>
internal static class RoundsCommand
{
    /// <summary>The verbs, each calling the API through <paramref name="run"/>.</summary>
    public static Command Build(Option<Uri> server, Option<bool> json, IApiRun run)
    {
        Argument<string> id = new("job") { Description = "The job's identifier." };
        Argument<long> round = new("round") { Description = "Number of a round that has ended, from 1." };
        Command list = new("list", "List the rounds of a job.") { id, server, json };
        list.SetAction((parsed, ct) => run.RunAsync(
            parsed, api => api.RoundsAsync(parsed.GetValue(id)!, 0, TimeSpan.Zero, ct), rounds => JobTable.PrintRounds(rounds)));
        Command show = new("show", "Show a round device by device.") { id, round, server, json };
        show.SetAction((parsed, ct) => run.RunAsync(
            parsed,
            async api => new RoundWithClients(
                await api.RoundAsync(parsed.GetValue(id)!, parsed.GetValue(round), ct),
                await api.TimelineAsync(parsed.GetValue(id)!, parsed.GetValue(round), ct)),
            Print));
        return new Command("rounds", "Look at rounds.") { list, show, Export(server) };
    }

    private static Command Export(Option<Uri> server)
    {
        Argument<string> id = new("job") { Description = "The job's identifier." };
        Option<string> format = new("--format") { Description = "csv, or jsonl for one JSON object a line.", DefaultValueFactory = _ => "csv" };
        format.AcceptOnlyFromAmong("csv", "jsonl");
        Option<bool> clients = new("--clients") { Description = "What every device did instead of the rounds; of the last 200 rounds." };
        Option<long?> round = new("--round") { Description = "With --clients: one round alone." };
        Option<FileInfo?> output = new("--out") { Description = "File to write; standard output unless given." };
        Command export = new("export", "Write the rounds of a job as a table.") { id, format, clients, round, output, server };
        export.SetAction(async (parsed, ct) =>
        {
            using ServerApiClient api = AccessArguments.ClientOf(parsed, parsed.GetValue(server)!);
            await using Stream target = parsed.GetValue(output) is { } file ? file.Create() : Console.OpenStandardOutput();
            await api.ExportAsync(
                parsed.GetValue(id)!, parsed.GetValue(clients) ? "clients" : "rounds", parsed.GetValue(format)!, parsed.GetValue(clients) ? parsed.GetValue(round) : null, target, ct);
            return 0;
        });
        return export;
    }

    private static void Print(RoundWithClients shown)
    {
        foreach (string line in RoundText.Lines(shown.Record, shown.Timeline))
        {
            Console.Out.WriteLine(line);
        }
    }
}
