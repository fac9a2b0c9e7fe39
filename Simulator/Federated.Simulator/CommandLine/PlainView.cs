using System.Globalization;
using System.Text;
using Federated.Server.Rounds;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;

namespace Federated.Simulator.CommandLine;

/// <summary>Lines without control codes, one a round, for pipes and logs.</summary>
/// <param name="output">Where they go.</param>
/// <param name="quiet">Leaves out everything but the closing lines.</param>
internal sealed class PlainView(TextWriter output, bool quiet) : IRunView
{
    /// <inheritdoc/>
    public void Opening(RunHeadline headline)
    {
        if (quiet)
        {
            return;
        }

        output.WriteLine($"scenario {headline.Scenario}, seed {headline.Seed}{(headline.Description.Length > 0 ? $": {headline.Description}" : "")}");
        output.WriteLine($"devices {headline.Devices}, {headline.Goal} a round; model {headline.Model}; {headline.Partition}; engine {headline.Engine}, threads {headline.Threads}");
        output.WriteLine($"updates: {headline.Updates}");
        string target = headline.TargetAccuracy is { } accuracy ? $", until {Wording.Percent(accuracy)} test accuracy" : "";
        output.WriteLine($"rounds at most {headline.Rounds}{target}");
        if (headline.Published is { } published)
        {
            output.WriteLine($"published {published.RoundsToTarget} rounds: {published.Source}");
        }

        foreach (string note in headline.Notes)
        {
            output.WriteLine($"note: {note}");
        }

        output.WriteLine($"server {Wording.ServerOf(headline)}");
        output.WriteLine($"results {headline.Folder}{(headline.Continued ? ", continued" : "")}");
    }

    /// <inheritdoc/>
    public void RoundEnded(RunProgress progress)
    {
        if (!quiet)
        {
            output.WriteLine(RoundLine(progress));
        }
    }

    /// <inheritdoc/>
    public ValueTask ClosingAsync(RunSummary summary, string folder)
    {
        foreach (ClosingRow row in ClosingTable.Rows(summary))
        {
            output.WriteLine($"{row.Name}: {row.Ours}{(row.Published.Length > 0 ? $" ({row.Published})" : "")}");
        }

        output.WriteLine($"results: {folder}");
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string RoundLine(RunProgress progress)
    {
        RoundRecord round = progress.Last!;
        StringBuilder line = new();
        line.Append(CultureInfo.InvariantCulture, $"round {round.Round}/{progress.MaxRounds}");
        if (round.Outcome == RoundOutcome.Abandoned)
        {
            line.Append(CultureInfo.InvariantCulture, $" abandoned ({round.Reason})");
        }

        if (round.Evaluation is { } evaluation)
        {
            line.Append(CultureInfo.InvariantCulture, $" accuracy {Wording.Percent(evaluation.Accuracy)} loss {evaluation.Loss:0.0000}");
        }

        if (round.Accepted > 0)
        {
            line.Append(CultureInfo.InvariantCulture, $" training loss {round.TrainLoss:0.0000}");
        }

        line.Append(CultureInfo.InvariantCulture, $" accepted {round.Accepted}");
        line.Append(CultureInfo.InvariantCulture, $" dropped {round.Dropped.Values.Sum()} late {round.Late}");
        line.Append(CultureInfo.InvariantCulture, $" up {Wording.Bytes(round.BytesUp)} down {Wording.Bytes(round.BytesDown)}");
        line.Append(CultureInfo.InvariantCulture, $" {progress.UpdatesPerSecond:0.0} updates/s");
        if (round.Epsilon is { } epsilon)
        {
            line.Append(CultureInfo.InvariantCulture, $" ε {epsilon:0.000}");
        }

        return line.ToString();
    }
}
