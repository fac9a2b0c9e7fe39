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
            bool ofClients = parsed.GetValue(clients);
            if (parsed.GetValue(round) is { } one && !ofClients)
            {
                throw new CommandException($"--round {one} belongs to --clients. Add that, or leave --round out for all rounds.");
            }

            using ServerApiClient api = AccessArguments.ClientOf(parsed, parsed.GetValue(server)!);
            await WriteAsync(
                parsed.GetValue(output),
                target => api.ExportAsync(parsed.GetValue(id)!, ofClients ? "clients" : "rounds", parsed.GetValue(format)!, parsed.GetValue(round), target, ct));
            return 0;
        });
        return export;
    }

    /// <summary>Writes to a file, which is replaced only by what is whole, or to standard output.</summary>
    private static async Task WriteAsync(FileInfo? file, Func<Stream, Task> write)
    {
        if (file is null || file.LinkTarget is not null || file.FullName.StartsWith("/dev/", StringComparison.Ordinal))
        {
            // Devices and links are written to, not replaced.
            await using Stream output = file?.Create() ?? Console.OpenStandardOutput();
            await write(output);
            return;
        }

        string draft = $"{file.FullName}.{Guid.NewGuid():N}.partial";
        try
        {
            await using (FileStream target = File.Create(draft))
            {
                await write(target);
            }

            File.Move(draft, file.FullName, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    private static void Print(RoundWithClients shown)
    {
        foreach (string line in RoundText.Lines(shown.Record, shown.Timeline))
        {
            Console.Out.WriteLine(line);
        }
    }
}
