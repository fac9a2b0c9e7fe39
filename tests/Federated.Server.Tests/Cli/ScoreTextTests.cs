using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Dashboard;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Tests.Cli;

/// <summary>Every task's score is shown, not the accuracy alone.</summary>
public sealed class ScoreTextTests
{
    private static readonly CentralEvaluation _regression = new(10, 0.5, null, MeanAbsoluteError: 0.25);
    private static readonly CentralEvaluation _embedding = new(10, 0.5, null, CosineSimilarity: 0.75);

    [Fact]
    public void Named_AnyTask_IsItsScore()
    {
        Assert.Equal("accuracy 97.25 %", ScoreText.Named(new CentralEvaluation(10, 0.5, 0.9725)));
        Assert.Equal("mean absolute error 0.2500", ScoreText.Named(_regression));
        Assert.Equal("cosine similarity 0.7500", ScoreText.Named(_embedding));
        Assert.Equal("accuracy –", ScoreText.Named(null));
    }

    [Fact]
    public void Cell_AnyTask_HasTheScoresName()
    {
        Assert.Equal("accuracy 97.25 %", ScoreText.Cell(new CentralEvaluation(10, 0.5, 0.9725)));
        Assert.Equal("mean absolute error 0.2500", ScoreText.Cell(_regression));
        Assert.Equal("–", ScoreText.Cell(null));
    }

    [Fact]
    public void NamedScore_AnyTaskOnTheDashboard_IsItsScore()
    {
        Assert.Equal("accuracy 97.3 %", Units.NamedScore(new CentralEvaluation(10, 0.5, 0.9725)));
        Assert.Equal("mean absolute error 0.2500", Units.NamedScore(_regression));
        Assert.Equal("cosine similarity 0.7500", Units.NamedScore(_embedding));
        Assert.Equal("–", Units.NamedScore(null));
    }

    [Fact]
    public void Quality_RoundsOfARegression_AreItsErrors()
    {
        JobCharts charts = JobCharts.Of(new JobStatus { JobId = "job", Name = "job", Population = "p", State = JobState.Running, Evaluation = _regression }, [Record(_regression)]);

        Assert.Equal(("Mean absolute error", "number"), (charts.Quality.Series[0].Label, charts.Quality.Unit));
        Assert.Equal([0.25], charts.Quality.Series[0].Values);
        Assert.Equal("Central mean absolute error over 1 rounds, now 0.2500.", charts.QualitySays);
    }

    [Fact]
    public void Lines_RoundOfARegression_HaveItsError() => Assert.Contains(
        "mean absolute error 0.2500, loss 0.5000",
        string.Join(' ', RoundText.Lines(Record(_regression), new RoundTimeline("job", 1, false, []))),
        StringComparison.Ordinal);

    [Fact]
    public async Task WriteRounds_OtherTasks_HaveTheirScoresInTheLastColumns()
    {
        StringWriter csv = new();

        await TableExport.WriteRoundsAsync(csv, TableExport.Format.Csv, [Record(_regression), Record(_embedding)]);

        string[][] rows = [.. csv.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(','))];
        Assert.Equal(["meanAbsoluteError", "cosineSimilarity"], rows[0][^2..]);
        Assert.Equal(["0.25", ""], rows[1][^2..]);
        Assert.Equal(["", "0.75"], rows[2][^2..]);
    }

    private static RoundRecord Record(CentralEvaluation evaluation) => new()
    {
        JobId = "job",
        Round = 1,
        Outcome = RoundOutcome.Committed,
        ModelVersion = 1,
        AdapterSha256 = new string('a', 64),
        Goal = 1,
        Selected = 2,
        Accepted = 1,
        Evaluation = evaluation,
    };
}
