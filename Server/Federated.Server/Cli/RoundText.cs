using System.Globalization;
using Federated.Server.Rounds;

namespace Federated.Server.Cli;

/// <summary>Writes a round and its devices in lines of at most <see cref="Width"/> characters, so that any terminal shows them as they are.</summary>
internal static class RoundText
{
    /// <summary>Longest line.</summary>
    public const int Width = 80;

    // As long as the names that devices get which bring none.
    private const int DeviceWidth = 23;
    private const int DownloadWidth = 8;
    private const int SecondsWidth = 7;

    /// <summary>The round's lines.</summary>
    public static IEnumerable<string> Lines(RoundRecord record, RoundTimeline timeline)
    {
        foreach (string line in Wrapped(Summary(record), "").Concat(Wrapped(Times(record.Timing), "")).Concat(Wrapped(Bytes(record), "")))
        {
            yield return line;
        }

        yield return "";
        yield return Row("device", "outcome", ["download", "train", "encode", "other", "upload", "end"]);
        foreach (ClientTimeline client in timeline.Clients)
        {
            bool reported = client.UploadStartedAt is not null;
            yield return Row(
                client.DeviceId,
                client.Outcome.ToString().ToLowerInvariant(),
                [
                    Seconds(reported ? client.DownloadSeconds : null),
                    Seconds(reported ? client.ToldComputeSeconds : null),
                    Seconds(reported ? client.EncodeSeconds : null),
                    Seconds(client.OtherSeconds),
                    Seconds(client.UploadSeconds),
                    client.EndedAt is { } ended ? Seconds((ended - record.Timing.StartedAt).TotalSeconds) : "–",
                ]);
        }

        yield return "Seconds; 'end' counts from the start of the round.";
        if (timeline.Clients.Any(client => client is { UploadStartedAt: not null, ToldComputeSeconds: null }))
        {
            yield return "Masked devices do not tell how long they trained; it is in 'other'.";
        }

        foreach (ClientTimeline client in timeline.Clients.Where(client => client.Reason.Length > 0 || client.LastRefusal.Length > 0))
        {
            string refusal = client.LastRefusal.Length > 0 ? $" refused: {client.LastRefusal}" : "";
            foreach (string line in Wrapped($"{client.DeviceId}: {client.Reason}{refusal}", "  "))
            {
                yield return line;
            }
        }
    }

    private static string Summary(RoundRecord record)
    {
        string reason = record.Outcome == RoundOutcome.Committed ? "" : $": {record.Reason}";
        string quality = record.Evaluation is { } evaluation
            ? $", {ScoreText.Named(evaluation)}, loss {ScoreText.Number(evaluation.Loss)}"
            : "";
        return FormattableString.Invariant(
            $"Round {record.Round} {record.Outcome.ToString().ToLowerInvariant()}{reason}; {record.Accepted} of {record.Selected} updates, goal {record.Goal}, late {record.Late}, dropped {record.Dropped.Values.Sum()}; training loss {(record.MeasuredTrainLoss is { } told ? FormattableString.Invariant($"{told:F4}") : "–")}{quality}{(record.Epsilon is { } epsilon ? FormattableString.Invariant($", ε {epsilon:F3} so far") : "")}; model version {record.ModelVersion}.");
    }

    private static string Times(RoundTiming timing) => FormattableString.Invariant(
        $"{timing.TotalSeconds:F3} s: select {timing.SelectSeconds:F3}, collect {timing.CollectSeconds:F3}, commit {timing.CommitSeconds:F3}, evaluate {timing.EvaluateSeconds:F3}; processor {timing.ProcessCpuSeconds:F3}.");

    private static string Bytes(RoundRecord record) => FormattableString.Invariant(
        $"{record.BytesUp:N0} bytes up, {record.BytesDown:N0} bytes down; {record.Examples:N0} examples.");

    private static string Row(string device, string outcome, string[] seconds) =>
        $"{Fitted(device, DeviceWidth).PadRight(DeviceWidth)} {outcome,-7}{string.Concat(seconds.Select((text, i) => ' ' + text.PadLeft(i == 0 ? DownloadWidth : SecondsWidth)))}".TrimEnd();

    private static string Fitted(string text, int width) => text.Length <= width ? text : $"{text[..(width - 1)]}…";

    // As many digits as fit: what matters of an hour is not its milliseconds.
    private static string Seconds(double? seconds) => seconds switch
    {
        null => "–",
        < 100 => seconds.Value.ToString("F3", CultureInfo.InvariantCulture),
        < 10_000 => seconds.Value.ToString("F1", CultureInfo.InvariantCulture),
        < 10_000_000 => seconds.Value.ToString("F0", CultureInfo.InvariantCulture),
        _ => seconds.Value.ToString("G2", CultureInfo.InvariantCulture),
    };

    private static IEnumerable<string> Wrapped(string text, string indent)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            // A word that is longer than a line is cut: a reason is no place for essays.
            string fitted = Fitted(word, Width - indent.Length);
            if (line.Length > 0 && indent.Length + line.Length + 1 + fitted.Length > Width)
            {
                yield return indent + line;
                line = "";
            }

            line = line.Length == 0 ? fitted : $"{line} {fitted}";
        }

        yield return indent + line;
    }
}
