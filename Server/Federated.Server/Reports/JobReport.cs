using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Reports;

/// <summary>What a report is written from.</summary>
internal sealed record JobReportContent
{
    /// <summary>The job in the end, or as it stands.</summary>
    public required JobStatus Job { get; init; }

    /// <summary>Its spec, or the scenario around it, as JSON.</summary>
    public required string SettingsJson { get; init; }

    /// <summary>Its rounds in order.</summary>
    public required IReadOnlyList<RoundRecord> Rounds { get; init; }

    /// <summary>The devices of its last round; null when nothing is known of them.</summary>
    public RoundTimeline? LastTimeline { get; init; }

    /// <summary>Further figures, by name.</summary>
    public IReadOnlyList<(string Name, string Value)> Figures { get; init; } = [];

    /// <summary>Where it ran, by name.</summary>
    public IReadOnlyList<(string Name, string Value)> Surroundings { get; init; } = [];

    /// <summary>When it is written.</summary>
    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>The machine and software of this process.</summary>
    public static IReadOnlyList<(string Name, string Value)> Here() =>
    [
        ("Federated", typeof(JobReportContent).Assembly.GetName().Version!.ToString(3)),
        (".NET", RuntimeInformation.FrameworkDescription),
        ("System", RuntimeInformation.OSDescription),
        ("Architecture", RuntimeInformation.ProcessArchitecture.ToString()),
        ("Processors", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
    ];
}

/// <summary>Writes a job as one HTML page that needs nothing else: no script, no font, no picture from anywhere. It can be mailed.</summary>
internal static class JobReport
{
    private const int SlowestDevices = 15;

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    /// <summary>The page.</summary>
    public static string Write(JobReportContent content)
    {
        StringBuilder html = new();
        JobStatus job = content.Job;
        html.Append(Head.Replace("TITLE", Encode($"{job.Name} · {job.JobId}"), StringComparison.Ordinal));
        html.Append(FormattableString.Invariant($"<h1>{Encode(job.Name)}</h1><p>Job {Encode(job.JobId)}, {job.State.ToString().ToLowerInvariant()}{(job.Reason.Length > 0 ? ": " + Encode(job.Reason) : "")}. Written {content.WrittenAt:u}.</p>"));
        Table(html, "Figures", ["", ""], [.. JobFigures.Of(job, content.Rounds).Concat(content.Figures).Select(figure => new[] { figure.Name, figure.Value })]);
        html.Append("<h2>Plots</h2>");
        Plots(html, content);
        Table(
            html,
            "Why devices dropped out",
            ["reason", "devices"],
            [.. content.Rounds.SelectMany(round => round.Dropped).GroupBy(pair => pair.Key).OrderByDescending(group => group.Sum(pair => pair.Value))
                .Select(group => new[] { group.Key, FormattableString.Invariant($"{group.Sum(pair => pair.Value)}") })]);
        Devices(html, content.LastTimeline);
        TaskScore score = ScoreOf(content);
        Table(
            html,
            "Rounds",
            ["round", "outcome", "updates", "late", "dropped", score.Name, "loss", "training loss", "bytes up", "bytes down", "seconds"],
            [.. content.Rounds.Select(round => Row(round, score))]);
        html.Append(FormattableString.Invariant($"<h2>Settings</h2><pre>{Encode(Pretty(content.SettingsJson))}</pre>"));
        Table(html, "Surroundings", ["", ""], [.. content.Surroundings.Select(pair => new[] { pair.Name, pair.Value })]);
        return html.Append("</main></body></html>\n").ToString();
    }

    private static void Plots(StringBuilder html, JobReportContent content)
    {
        IReadOnlyList<RoundRecord> rounds = content.Rounds;
        (double, double)[] Points(Func<RoundRecord, double?> of) => [.. rounds.Where(round => of(round) is not null).Select(round => ((double)round.Round, of(round)!.Value))];
        TaskScore score = ScoreOf(content);
        html.Append(Plot.Lines(
            $"{score.Title} on held-out data",
            "round",
            [new(score.Name, Points(round => score.Of(round.Evaluation)))],
            value => score.IsShare ? FormattableString.Invariant($"{100 * value:0.#} %") : FormattableString.Invariant($"{value:0.###}")));
        html.Append(Plot.Lines(
            "Loss", "round", [new("held-out", Points(round => round.Evaluation?.Loss)), new("training", Points(round => round.Accepted > 0 ? round.TrainLoss : null))], value => FormattableString.Invariant($"{value:0.###}")));

        double up = 0;
        double down = 0;
        double dense = 0;
        List<(double, double)> sent = [];
        List<(double, double)> received = [];
        List<(double, double)> baseline = [];
        foreach (RoundRecord round in rounds)
        {
            sent.Add((round.Round, up += round.BytesUp));
            received.Add((round.Round, down += round.BytesDown));
            baseline.Add((round.Round, dense += 2.0 * round.Accepted * content.Job.DenseFullModelBytes));
        }

        html.Append(Plot.Lines("Bytes in total, against moving the whole model both ways", "round", [new("up", sent), new("down", received), new("whole model", baseline)], Bytes));
        html.Append(Plot.Bars(
            "What became of the devices that were selected",
            "round",
            ["accepted", "late", "dropped"],
            [.. rounds.Select(round => ((double)round.Round, new double[] { round.Accepted, round.Late, Math.Max(0, round.Dropped.Values.Sum()) }))],
            value => FormattableString.Invariant($"{value:0.#}")));
        html.Append(Plot.Bars(
            "Where the time went, in seconds",
            "round",
            ["select", "collect", "commit", "evaluate"],
            [.. rounds.Select(round => ((double)round.Round, new[] { round.Timing.SelectSeconds, round.Timing.CollectSeconds, round.Timing.CommitSeconds, round.Timing.EvaluateSeconds }))],
            value => FormattableString.Invariant($"{value:0.###}")));
    }

    private static void Devices(StringBuilder html, RoundTimeline? timeline)
    {
        if (timeline is null)
        {
            return;
        }

        Table(
            html,
            FormattableString.Invariant($"The slowest devices of round {timeline.Round}, in seconds"),
            ["device", "outcome", "from assignment to end", "download", "train", "encode", "other", "upload"],
            [.. timeline.Clients.Where(client => client.EndedAt is not null).OrderByDescending(client => client.EndedAt - client.AssignedAt).Take(SlowestDevices).Select(client => new[]
            {
                client.DeviceId,
                client.Reason.Length > 0 ? $"{client.Outcome}: {client.Reason}".ToLowerInvariant() : client.Outcome.ToString().ToLowerInvariant(),
                FormattableString.Invariant($"{(client.EndedAt!.Value - client.AssignedAt).TotalSeconds:F3}"),
                FormattableString.Invariant($"{client.DownloadSeconds:F3}"),
                client.ToldComputeSeconds is { } trained ? FormattableString.Invariant($"{trained:F3}") : "–",
                FormattableString.Invariant($"{client.EncodeSeconds:F3}"),
                FormattableString.Invariant($"{client.OtherSeconds ?? 0:F3}"),
                FormattableString.Invariant($"{client.UploadSeconds ?? 0:F3}"),
            })]);
    }

    private static TaskScore ScoreOf(JobReportContent content) =>
        TaskScore.In([content.Job.Evaluation, content.Job.InitialEvaluation, .. content.Rounds.Select(round => round.Evaluation)]);

    private static string[] Row(RoundRecord round, TaskScore score) =>
    [
        FormattableString.Invariant($"{round.Round}"),
        round.Outcome == RoundOutcome.Committed ? "committed" : $"abandoned: {round.Reason}",
        FormattableString.Invariant($"{round.Accepted}/{round.Selected}"),
        FormattableString.Invariant($"{round.Late}"),
        FormattableString.Invariant($"{round.Dropped.Values.Sum()}"),
        ScoreText.Of(score, round.Evaluation),
        round.Evaluation is { } evaluation ? FormattableString.Invariant($"{evaluation.Loss:F4}") : "–",
        round.MeasuredTrainLoss is { } told ? FormattableString.Invariant($"{told:F4}") : "–",
        FormattableString.Invariant($"{round.BytesUp:N0}"),
        FormattableString.Invariant($"{round.BytesDown:N0}"),
        FormattableString.Invariant($"{round.Timing.TotalSeconds:F3}"),
    ];

    private static void Table(StringBuilder html, string title, string[] head, IReadOnlyList<string[]> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        html.Append(FormattableString.Invariant($"<h2>{Encode(title)}</h2><div class=\"wide\"><table>"));
        if (head.Any(name => name.Length > 0))
        {
            html.Append("<tr>").AppendJoin("", head.Select(name => $"<th>{Encode(name)}</th>")).Append("</tr>");
        }

        foreach (string[] row in rows)
        {
            html.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Encode(cell)}</td>")).Append("</tr>\n");
        }

        html.Append("</table></div>");
    }

    private static string Pretty(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, _indented);
    }

    private static string Bytes(double bytes) => bytes switch
    {
        >= 1e9 => FormattableString.Invariant($"{bytes / 1e9:0.##} GB"),
        >= 1e6 => FormattableString.Invariant($"{bytes / 1e6:0.##} MB"),
        >= 1e3 => FormattableString.Invariant($"{bytes / 1e3:0.##} kB"),
        _ => FormattableString.Invariant($"{bytes:0} B"),
    };

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private const string Head = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>TITLE</title><style>
        :root{color-scheme:light dark;--ink:light-dark(#1b1b1b,#e8e8e8);--line:light-dark(#d8d8d8,#444);--paper:light-dark(#fff,#161616)}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0}main{max-width:68rem;margin:0 auto;padding:1.5rem}
        h1{margin:0}h2{margin:2rem 0 .5rem}.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
        th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top}
        figure{display:inline-block;width:min(100%,32rem);margin:0 1rem 1rem 0}figcaption{font-weight:600}svg{width:100%;height:auto}
        svg text{font-size:12px;fill:var(--ink)}.grid{stroke:var(--line)}polyline{stroke-width:2}
        .s0{stroke:#2f7ed8}.s1{stroke:#d9822b}.s2{stroke:#8a8a8a}.s3{stroke:#7b5fb3}.f0{fill:#2f7ed8}.f1{fill:#d9822b}.f2{fill:#8a8a8a}.f3{fill:#7b5fb3}
        pre{overflow-x:auto;border:1px solid var(--line);padding:1rem}@media print{figure{break-inside:avoid}}
        </style></head><body><main>
        """;
}
