using System.Globalization;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Spectre.Console;

namespace Federated.Simulator.CommandLine;

/// <summary>A panel, a live display that a timer refreshes, and a closing table.</summary>
internal sealed class TerminalView(IAnsiConsole console, TimeProvider time) : IRunView
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    private static readonly TimeSpan _refresh = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _over = new();
    private Task _display = Task.CompletedTask;
    private RunProgress? _progress;
    private long _start;

    /// <inheritdoc/>
    public void Opening(RunHeadline headline)
    {
        Grid facts = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        facts.AddRow(Dim("Model"), Text($"{headline.Model}; {headline.Partition}"));
        facts.AddRow(Dim("Devices"), Text($"{headline.Devices}, {headline.Goal} a round, seed {headline.Seed}, {headline.Threads} training threads on {headline.Engine}"));
        facts.AddRow(Dim("Updates"), Text(headline.Updates));
        string goal = headline.TargetAccuracy is { } target
            ? $"{Wording.Percent(target)} test accuracy within {headline.Rounds} rounds"
            : $"{headline.Rounds} rounds";
        facts.AddRow(Dim("Goal"), Text(goal));
        if (headline.Published is { } published)
        {
            facts.AddRow(Dim("To beat"), Text($"{published.RoundsToTarget} rounds: {published.Source}"));
        }

        foreach (string note in headline.Notes)
        {
            facts.AddRow(Dim("Note"), new Text(note, new Style(Color.Yellow)));
        }

        facts.AddRow(Dim("Server"), Text(Wording.ServerOf(headline)));
        facts.AddRow(Dim("Results"), Text($"{headline.Folder}{(headline.Continued ? ", continued" : "")}"));
        console.Write(new Panel(headline.Description.Length > 0 ? new Rows(Text(headline.Description), Markup.FromInterpolated($""), facts) : facts)
            .Header($"[bold blue] {Markup.Escape(headline.Scenario)} [/]")
            .Border(BoxBorder.Rounded)
            .BorderColor(Color.Blue)
            .Padding(2, 1)
            .Expand());

        _progress = new RunProgress { MaxRounds = headline.Rounds, TargetAccuracy = headline.TargetAccuracy };
        _start = time.GetTimestamp();
        _display = console.Live(Render()).AutoClear(true).StartAsync(RefreshAsync);
    }

    /// <inheritdoc/>
    public void RoundEnded(RunProgress progress) => Volatile.Write(ref _progress, progress);

    /// <inheritdoc/>
    public async ValueTask ClosingAsync(RunSummary summary, string folder)
    {
        await StopAsync();
        Color color = summary.Outcome switch
        {
            RunOutcome.TargetReached or RunOutcome.Completed => Color.Green,
            RunOutcome.TargetMissed or RunOutcome.Interrupted => Color.Yellow,
            _ => Color.Red,
        };
        Table table = new Table().Border(TableBorder.Rounded).BorderColor(color).Expand()
            .AddColumn("").AddColumn("[bold]This run[/]").AddColumn("[bold]Beside it[/]");
        foreach (ClosingRow row in ClosingTable.Rows(summary))
        {
            table.AddRow(Dim(row.Name), row.Name == "Outcome" ? new Text(row.Ours, new Style(color, decoration: Decoration.Bold)) : Text(row.Ours), Dim(row.Published));
        }

        console.Write(table);
        console.MarkupLineInterpolated($"[dim]Results:[/] {folder}");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _over.Dispose();
    }

    private async Task StopAsync()
    {
        await _over.CancelAsync();
        await _display;
    }

    private async Task RefreshAsync(LiveDisplayContext display)
    {
        using PeriodicTimer timer = new(_refresh, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_over.Token))
            {
                display.UpdateTarget(Render());
            }
        }
        catch (OperationCanceledException)
        {
            display.UpdateTarget(Render());
        }
    }

    private Padder Render()
    {
        RunProgress progress = Volatile.Read(ref _progress)!;
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn(new GridColumn().NoWrap());
        grid.AddRow(Dim("Round"), Bar(progress));
        grid.AddRow(Dim("Test accuracy"), Accuracy(progress));
        grid.AddRow(Dim("Loss"), Text(progress.Evaluation is { } evaluation
            ? string.Create(CultureInfo.InvariantCulture, $"test {evaluation.Loss:0.0000}, training {progress.Last!.TrainLoss:0.0000}")
            : "–"));
        grid.AddRow(Dim("Updates"), Text(string.Create(
            CultureInfo.InvariantCulture, $"{progress.Updates} accepted, {progress.Dropped} dropped out, {progress.Late} late")));
        grid.AddRow(Dim("Bytes"), Text($"{Wording.Bytes(progress.BytesUp)} up, {Wording.Bytes(progress.BytesDown)} down"));
        grid.AddRow(Dim("Rate"), Text(string.Create(
            CultureInfo.InvariantCulture, $"{progress.RoundsPerSecond:0.00} rounds/s, {progress.UpdatesPerSecond:0.0} updates/s")));
        string left = progress.MostTimeLeft is { } most && most > TimeSpan.Zero ? $", at most {Wording.Time(most)} to go" : "";
        grid.AddRow(Dim("Time"), Text($"{Wording.Time(time.GetElapsedTime(_start))}{left}"));
        return new Padder(grid, new Padding(2, 1, 2, 0));
    }

    private Markup Bar(RunProgress progress)
    {
        int width = Math.Clamp(console.Profile.Width - 40, 10, 50);
        long round = progress.Last?.Round ?? 0;
        int done = (int)Math.Min(width, width * round / Math.Max(1, progress.MaxRounds));
        return new Markup($"[blue]{new string('━', done)}[/][grey35]{new string('━', width - done)}[/] {round}/{progress.MaxRounds}");
    }

    private Markup Accuracy(RunProgress progress)
    {
        if (progress.Evaluation is not { } evaluation)
        {
            return new Markup("–");
        }

        int width = Math.Clamp(console.Profile.Width - 60, 0, 60);
        double[] shown = [.. progress.Accuracies.TakeLast(width)];
        double low = shown.DefaultIfEmpty(0).Min();
        double range = Math.Max(1e-9, shown.DefaultIfEmpty(0).Max() - low);
        string spark = string.Concat(shown.Select(value => Bars[(int)((value - low) / range * (Bars.Length - 1))]));
        string target = progress.TargetAccuracy is { } wanted ? $" [dim]of {Wording.Percent(wanted)}[/]" : "";
        return new Markup($"[bold]{Wording.Percent(evaluation.Accuracy)}[/]{target} [dim]best {Wording.Percent(progress.BestAccuracy)}[/]  [green]{spark}[/]");
    }

    private static Text Text(string text) => new(text);

    private static Text Dim(string text) => new(text, new Style(decoration: Decoration.Dim));
}
