using System.Globalization;
using Federated.Simulator.Reports;

namespace Federated.Simulator.CommandLine;

/// <summary>A line of the closing account.</summary>
/// <param name="Name">What.</param>
/// <param name="Ours">This run's value.</param>
/// <param name="Published">The published or baseline value beside it; empty when there is none.</param>
internal readonly record struct ClosingRow(string Name, string Ours, string Published);

/// <summary>The closing account as rows, the same on a terminal and in a pipe.</summary>
internal static class ClosingTable
{
    /// <summary>The rows in order.</summary>
    public static IReadOnlyList<ClosingRow> Rows(RunSummary summary)
    {
        List<ClosingRow> rows =
        [
            new("Outcome", Outcome(summary), ""),
        ];
        if (summary.TargetAccuracy is { } target)
        {
            rows.Add(new(
                $"Rounds to {Wording.Percent(target)}",
                summary.RoundsToTarget?.ToString(CultureInfo.InvariantCulture) ?? $"not within {summary.Rounds}",
                summary.Published is { } published ? $"published {published.RoundsToTarget}" : ""));
        }

        rows.Add(new("Test accuracy, loss", $"{Wording.Percent(summary.FinalAccuracy)}, {Number(summary.FinalLoss, "0.0000")}", Before(summary)));
        rows.Add(new("Rounds", summary.AbandonedRounds == 0 ? $"{summary.Rounds}" : $"{summary.Rounds}, {summary.AbandonedRounds} abandoned", ""));
        rows.Add(new("Wall time", Wording.Time(TimeSpan.FromSeconds(summary.WallSeconds)), $"after {Number(summary.SetupSeconds, "0.0")} s of setup"));
        rows.Add(new("Client updates", $"{summary.ClientUpdates}, {Number(summary.ClientUpdatesPerSecond, "0.0")} a second", ""));
        rows.Add(new("Up a client and round", Wording.Bytes(summary.BytesUpPerClientRound), $"dense adapter {Wording.Bytes(summary.DenseAdapterBytes)}"));
        rows.Add(new("Down a client and round", Wording.Bytes(summary.BytesDownPerClientRound), $"dense full model {Wording.Bytes(summary.DenseFullModelBytes)}"));
        if (summary.AveragingBias is { } bias)
        {
            rows.Add(new("Averaging bias, mean", Wording.Percent(bias), ""));
        }

        if (summary.Privacy is { } privacy)
        {
            rows.Add(new(
                "Privacy spent",
                string.Create(CultureInfo.InvariantCulture, $"ε = {privacy.Epsilon:0.000} at δ = {privacy.Delta}"),
                privacy.Budget is { } budget ? string.Create(CultureInfo.InvariantCulture, $"budget {budget}") : "no budget"));
            rows.Add(new("What that claims", privacy.Statement, ""));
        }

        rows.Add(new("Dropped, late", $"{summary.Dropped}, {summary.Late}", Reasons(summary.DroppedByReason)));
        if (summary.RefusedByOutcome.Count > 0)
        {
            rows.Add(new("Refused", $"{summary.RefusedByOutcome.Values.Sum()}", Reasons(summary.RefusedByOutcome)));
        }

        if (summary.EnergyJoulesPerClientRound is { } joules)
        {
            rows.Add(new("Energy a client and round", $"{Number(joules, "0.00")} J (modelled)", ""));
        }

        rows.Add(new("Processor time, peak memory", $"{Number(summary.CpuSeconds, "0.0")} s, {Wording.Bytes(summary.PeakMemoryBytes)}", ""));
        return rows;
    }

    private static string Reasons(IReadOnlyDictionary<string, long> counts) =>
        string.Join(", ", counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}"));

    private static string Before(RunSummary summary) => summary.InitialLoss is null
        ? ""
        : $"before training {Wording.Percent(summary.InitialAccuracy)}, {Number(summary.InitialLoss, "0.0000")}";

    private static string Outcome(RunSummary summary)
    {
        string outcome = summary.Outcome switch
        {
            RunOutcome.TargetReached => "target reached",
            RunOutcome.Completed => "all rounds done",
            RunOutcome.TargetMissed => "target not reached",
            RunOutcome.Interrupted => "interrupted",
            RunOutcome.Failed => "failed",
            _ => throw new ArgumentOutOfRangeException(nameof(summary), summary.Outcome, "Unknown outcome."),
        };
        return summary.Reason.Length == 0 ? outcome : $"{outcome}: {summary.Reason}";
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";
}
