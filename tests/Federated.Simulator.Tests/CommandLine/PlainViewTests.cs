using Federated.Simulator.CommandLine;
using Federated.Simulator.Runs;
using Federated.Simulator.Tests.Reports;

namespace Federated.Simulator.Tests.CommandLine;

public sealed class PlainViewTests
{
    [Fact]
    public void RoundEnded_EachRound_IsOneLineWithoutControlCodes()
    {
        StringWriter output = new();
        PlainView view = new(output, quiet: false);
        RunProgress progress = new() { MaxRounds = 4, TargetAccuracy = 0.97 };
        foreach (Server.Rounds.RoundRecord round in SampleRun.Rounds(4))
        {
            progress = progress.After(round, TimeSpan.FromSeconds(round.Round));
            view.RoundEnded(progress);
        }

        string[] lines = output.ToString().TrimEnd().Split(Environment.NewLine);
        Assert.Equal(4, lines.Length);
        Assert.StartsWith("round 2/4 accuracy 78.00 % loss 0.6800", lines[1], StringComparison.Ordinal);
        Assert.Contains("abandoned (quorum missed)", lines[2], StringComparison.Ordinal);
        Assert.Contains("training loss", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output.ToString());
    }

    [Fact]
    public void Opening_ANote_IsALineOfItsOwn() => Assert.Contains("note: runs do not repeat", Opening(Headline()));

    [Fact]
    public void Opening_AServerElsewhere_NamesThePopulationOfTheRun()
    {
        Assert.Contains("server attached, dashboard and API http://localhost:5400/, population toy-0a1b2c3d", Opening(Headline() with { Embedded = false }));
        Assert.Contains("server in this process, dashboard and API http://localhost:5400/", Opening(Headline()));
    }

    [Fact]
    public void Opening_NoDescription_LeavesNoColonBehind() => Assert.Equal("scenario toy, seed 1", Opening(Headline() with { Description = "" })[0]);

    [Fact]
    public async Task ClosingAsync_ATargetReached_NamesItBesideThePublishedFigure()
    {
        StringWriter output = new();
        await new PlainView(output, quiet: true).ClosingAsync(SampleRun.Summary(SampleRun.Rounds(50)), "/runs/x");
        Assert.Contains("Outcome: target reached", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Rounds to 97.00 %: 40 (published 87)", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("results: /runs/x", output.ToString(), StringComparison.Ordinal);
    }

    private static string[] Opening(RunHeadline headline)
    {
        StringWriter output = new();
        new PlainView(output, quiet: false).Opening(headline);
        return output.ToString().Split(Environment.NewLine);
    }

    private static RunHeadline Headline() => new()
    {
        Scenario = "toy",
        Description = "A toy.",
        Published = null,
        Seed = 1,
        Devices = 12,
        Goal = 4,
        Rounds = 4,
        TargetAccuracy = null,
        Model = "mlp 16-8-4",
        Partition = "400 examples, iid",
        Updates = "codec dense",
        Notes = ["runs do not repeat"],
        Folder = "/runs/x",
        Continued = false,
        Population = "toy-0a1b2c3d",
        Api = new Uri("http://localhost:5400"),
        Embedded = true,
        Engine = "onnx",
        Threads = 2,
    };
}
