using Federated.Server.Jobs;
using Federated.Server.Reports;
using Federated.Server.Rounds;

namespace Federated.Server.Tests.Reports;

/// <summary>A report's figures are those of the job's task.</summary>
public sealed class JobFiguresTests
{
    [Fact]
    public void Of_Regression_ShowsItsErrorInPlaceOfAnAccuracy()
    {
        JobStatus job = Job(new CentralEvaluation(10, 0.5, null, MeanAbsoluteError: 0.25), new CentralEvaluation(10, 2, null, MeanAbsoluteError: 1.5));

        Assert.Equal(
            [("Mean absolute error", "0.2500"), ("Mean absolute error before training", "1.5000")],
            JobFigures.Of(job, []).Take(2));
    }

    [Fact]
    public void Of_ClassesWithoutAnEvaluationYet_ShowsTheInitialAccuracy() => Assert.Equal(
        [("Accuracy", "–"), ("Accuracy before training", "9.75 %")],
        JobFigures.Of(Job(null, new CentralEvaluation(10, 2.3, 0.0975)), []).Take(2));

    private static JobStatus Job(CentralEvaluation? last, CentralEvaluation initial) => new()
    {
        JobId = "job-1",
        Name = "job",
        Population = "homes",
        State = JobState.Running,
        Evaluation = last,
        InitialEvaluation = initial,
    };
}
