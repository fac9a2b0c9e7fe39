using Federated.Server.Rounds;
using ScottPlot;
using ScottPlot.Plottables;
using ScottPlot.TickGenerators;

namespace Federated.Simulator.Reports;

/// <summary>What the held-out examples said of a model.</summary>
/// <param name="Round">The round that it is from; 0 before training.</param>
/// <param name="Accuracy">0 to 1; null where the task has none.</param>
/// <param name="Loss">Mean loss.</param>
internal readonly record struct EvaluatedRound(long Round, double? Accuracy, double Loss);

/// <summary>Draws a run as three PNG pictures.</summary>
internal static class RunPlots
{
    /// <summary>Accuracy and loss by round.</summary>
    public const string AccuracyFile = "accuracy.png";

    /// <summary>Bytes up and down a client and round.</summary>
    public const string BytesFile = "bytes.png";

    /// <summary>Accepted, late, dropped and not needed by round.</summary>
    public const string ParticipationFile = "participation.png";

    private const int Width = 1100;
    private const int Height = 620;
    private const int MostStretch = 3;

    private static readonly Color _ink = Color.FromHex("#24292f");
    private static readonly Color _grid = Color.FromHex("#e6e8eb");
    private static readonly Color _blue = Color.FromHex("#1f6feb");
    private static readonly Color _orange = Color.FromHex("#d9730d");
    private static readonly Color _green = Color.FromHex("#2da44e");
    private static readonly Color _red = Color.FromHex("#cf222e");
    private static readonly Color _grey = Color.FromHex("#6e7781");

    /// <summary>Writes all three; a run without rounds gets none.</summary>
    public static void Write(RunFolder folder, RunSummary summary, IReadOnlyList<RoundRecord> rounds)
    {
        if (rounds.Count == 0)
        {
            return;
        }

        Accuracy(summary, rounds).SavePng(folder.Of(AccuracyFile), Width, Height);
        Bytes(summary, rounds).SavePng(folder.Of(BytesFile), Width, Height);
        Participation(summary, rounds).SavePng(folder.Of(ParticipationFile), Width, Height);
    }

    /// <summary>The points of the accuracy picture, the model before training as round 0.</summary>
    internal static IEnumerable<EvaluatedRound> Evaluations(RunSummary summary, IReadOnlyList<RoundRecord> rounds)
    {
        if (summary.InitialLoss is { } loss)
        {
            yield return new EvaluatedRound(0, summary.InitialAccuracy, loss);
        }

        foreach (RoundRecord round in rounds)
        {
            if (round.Evaluation is { } evaluation)
            {
                yield return new EvaluatedRound(round.Round, evaluation.Accuracy, evaluation.Loss);
            }
        }
    }

    private static Plot Accuracy(RunSummary summary, IReadOnlyList<RoundRecord> rounds)
    {
        Plot plot = NewPlot($"{summary.Scenario}: test accuracy and loss", "Test accuracy, %", rounds.Count);
        EvaluatedRound[] evaluated = [.. Evaluations(summary, rounds)];
        double[] x = [.. evaluated.Select(round => (double)round.Round)];
        double[] accuracy = [.. evaluated.Select(round => 100 * (round.Accuracy ?? double.NaN))];
        double[] loss = [.. evaluated.Select(round => round.Loss)];

        Scatter losses = Line(plot, x, loss, _orange, "Test loss (right)");
        losses.Axes.YAxis = plot.Axes.Right;
        plot.Axes.Right.Label.Text = "Mean test loss";
        Style(plot.Axes.Right);
        Line(plot, x, accuracy, _blue, "Test accuracy (left)");

        double floor = Math.Floor(Math.Max(0, accuracy.DefaultIfEmpty(0).Min() - 2));
        plot.Axes.Left.Range.Set(floor, 100.5);
        plot.Axes.Right.Range.Set(0, 1.05 * loss.DefaultIfEmpty(1).Max());
        if (summary.TargetAccuracy is { } target)
        {
            Baseline(plot, 100 * target, _green, $"Target {100 * target:0.##} %");
        }

        if (summary.RoundsToTarget is { } reached)
        {
            VerticalLine mark = plot.Add.VerticalLine(reached, 1.5f, _green, LinePattern.Dotted);
            mark.LegendText = $"Reached in round {reached}";
        }

        if (summary.Published is { } published)
        {
            VerticalLine mark = plot.Add.VerticalLine(published.RoundsToTarget, 1.5f, _grey, LinePattern.Dotted);
            mark.LegendText = $"Published: round {published.RoundsToTarget}";

            // Far beyond the last round it would squeeze the curve; the legend tells it then.
            if (published.RoundsToTarget <= MostStretch * rounds.Count)
            {
                plot.Axes.Bottom.Range.Set(0, Math.Max(rounds.Count, published.RoundsToTarget) + 1);
            }
        }

        plot.ShowLegend(Alignment.MiddleRight);
        return plot;
    }

    private static Plot Bytes(RunSummary summary, IReadOnlyList<RoundRecord> rounds)
    {
        RoundRecord[] reported = [.. rounds.Where(round => round.Accepted > 0)];
        (double unit, string name) = UnitFor(Math.Max(summary.DenseFullModelBytes, reported.Select(PerClientUp).DefaultIfEmpty(0).Max()));
        Plot plot = NewPlot($"{summary.Scenario}: bytes a client moves in a round", $"{name} a client and round", rounds.Count);
        double[] x = [.. reported.Select(round => (double)round.Round)];
        double[] up = [.. reported.Select(round => PerClientUp(round) / unit)];
        double[] down = [.. reported.Select(round => (double)round.BytesDown / round.Accepted / unit)];

        // The two often coincide: the broad pale line stays visible under the thin one.
        Line(plot, x, down, _orange.WithAlpha(0.45), "Down, mean of the contributors").LineWidth = 8;
        Line(plot, x, up, _blue, "Up, mean of the contributors").LineWidth = 2;

        double full = summary.DenseFullModelBytes / unit;
        double adapter = summary.DenseAdapterBytes / unit;
        if (summary.DenseAdapterBytes == summary.DenseFullModelBytes)
        {
            Baseline(plot, full, _grey, $"Dense full model, all of it trained: {full:0.##} {name}");
        }
        else
        {
            Baseline(plot, full, _grey, $"Dense full model: {full:0.##} {name}");
            Baseline(plot, adapter, _green, $"Dense adapter: {adapter:0.##} {name}");
        }

        plot.Axes.Left.Range.Set(0, 1.3 * new[] { full, up.DefaultIfEmpty(0).Max(), down.DefaultIfEmpty(0).Max() }.Max());
        plot.ShowLegend(Alignment.LowerRight);
        return plot;
    }

    private static Plot Participation(RunSummary summary, IReadOnlyList<RoundRecord> rounds)
    {
        Plot plot = NewPlot($"{summary.Scenario}: what became of the selected devices", "Devices", rounds.Count);
        (string Name, Color Color, Func<RoundRecord, int> Count)[] parts =
        [
            ("Accepted", _green, round => round.Accepted),
            ("Late", _orange, round => round.Late),
            ("Dropped", _red, round => round.Dropped.Values.Sum()),

            // Groups that have masked inputs enough wait for nobody else.
            ("Not needed", _grey, round => Math.Max(0, round.Selected - round.Accepted - round.Late - round.Dropped.Values.Sum())),
        ];

        List<Bar> bars = [];
        int highest = 1;
        foreach (RoundRecord round in rounds)
        {
            int floor = 0;
            foreach ((_, Color color, Func<RoundRecord, int> count) in parts)
            {
                int top = floor + count(round);
                if (top > floor)
                {
                    bars.Add(new Bar { Position = round.Round, ValueBase = floor, Value = top, FillColor = color, LineWidth = 0, Size = 0.8 });
                }

                floor = top;
            }

            highest = Math.Max(highest, floor);
        }

        plot.Add.Bars(bars);
        plot.Legend.ManualItems = [.. parts.Select(part => new LegendItem
        {
            LabelFontName = PlotFont.Name,
            LabelText = $"{part.Name}: {rounds.Sum(part.Count)}",
            FillColor = part.Color,
        })];
        Baseline(plot, rounds[0].Goal, _ink, $"Goal {rounds[0].Goal}");
        plot.Axes.Left.Range.Set(0, 1.25 * Math.Max(highest, rounds[0].Goal));
        plot.Axes.Left.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };
        plot.ShowLegend(Alignment.UpperRight);
        return plot;
    }

    private static double PerClientUp(RoundRecord round) => (double)round.BytesUp / round.Accepted;

    private static (double Unit, string Name) UnitFor(double largest) => largest switch
    {
        >= 1e6 => (1e6, "MB"),
        >= 1e3 => (1e3, "kB"),
        _ => (1, "bytes"),
    };

    private static Plot NewPlot(string title, string left, int rounds)
    {
        PlotFont.EnsureRegistered();
        Plot plot = new();
        plot.Font.Set(PlotFont.Name);
        plot.FigureBackground.Color = Colors.White;
        plot.DataBackground.Color = Colors.White;
        plot.Grid.MajorLineColor = _grid;
        plot.Title(title, 20);
        plot.Axes.Title.Label.ForeColor = _ink;
        plot.Axes.Title.Label.Bold = false;
        plot.Axes.Left.Label.Text = left;
        plot.Axes.Bottom.Label.Text = "Round";
        Style(plot.Axes.Left);
        Style(plot.Axes.Bottom);
        plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Bottom.Range.Set(0, rounds + 1);
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };
        plot.Legend.FontName = PlotFont.Name;
        plot.Legend.SetBestFontOnEachRender = false;
        plot.Legend.FontSize = 14;
        plot.Legend.FontColor = _ink;
        plot.Legend.OutlineColor = _grid;
        plot.Legend.ShadowColor = Colors.Transparent;
        return plot;
    }

    private static void Style(IAxis axis)
    {
        axis.Label.FontSize = 15;
        axis.Label.Bold = false;
        axis.Label.ForeColor = _ink;
        axis.TickLabelStyle.FontSize = 13;
        axis.TickLabelStyle.ForeColor = _ink;
        axis.FrameLineStyle.Color = _grey;
        axis.MajorTickStyle.Color = _grey;
        axis.MinorTickStyle.Length = 0;
    }

    private static Scatter Line(Plot plot, double[] x, double[] y, Color color, string legend)
    {
        Scatter line = plot.Add.Scatter(x, y, color);
        line.LineWidth = 2.5f;
        line.MarkerSize = x.Length > 100 ? 0 : 4;
        line.LegendText = legend;
        return line;
    }

    private static void Baseline(Plot plot, double y, Color color, string legend)
    {
        HorizontalLine line = plot.Add.HorizontalLine(y, 1.5f, color, LinePattern.Dashed);
        line.LegendText = legend;
    }
}
