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
    public void Opening_ANote_IsALineOfItsOwn()
    {
        StringWriter output = new();
        new PlainView(output, quiet: false).Opening(new RunHeadline
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
            Api = new Uri("http://localhost:5400"),
            Embedded = true,
            Engine = "onnx",
            Threads = 2,
        });
        Assert.Contains("note: runs do not repeat", output.ToString().Split(Environment.NewLine));
    }

    [Fact]
    public async Task ClosingAsync_ATargetReached_NamesItBesideThePublishedFigure()
    {
        StringWriter output = new();
        await new PlainView(output, quiet: true).ClosingAsync(SampleRun.Summary(SampleRun.Rounds(50)), "/runs/x");
        Assert.Contains("Outcome: target reached", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Rounds to 97.00 %: 40 (published 87)", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("results: /runs/x", output.ToString(), StringComparison.Ordinal);
    }
}
