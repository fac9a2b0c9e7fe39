using Federated.Server.Rounds;
using Federated.Simulator.Reports;
using Federated.Testing;

namespace Federated.Simulator.Tests.Reports;

public sealed class RunPlotsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(80)]
    public void Write_AnyLength_DrawsThreePictures(int count)
    {
        using TemporaryFolder temporary = new();
        RunFolder folder = RunFolder.Open(temporary.Path, "sample", 1, temporary.Path);
        IReadOnlyList<RoundRecord> rounds = SampleRun.Rounds(count);

        RunPlots.Write(folder, SampleRun.Summary(rounds), rounds);

        foreach (string name in new[] { RunPlots.AccuracyFile, RunPlots.BytesFile, RunPlots.ParticipationFile })
        {
            byte[] picture = File.ReadAllBytes(folder.Of(name));
            Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], picture[..4]);

            // An empty canvas of this size compresses to about 4 kB.
            Assert.InRange(picture.Length, 10_000, 1_000_000);
        }
    }

    [Fact]
    public void Evaluations_AModelThatWasMeasuredBeforeTraining_BeginWithRoundZero()
    {
        IReadOnlyList<RoundRecord> rounds = SampleRun.Rounds(4);
        EvaluatedRound[] points = [.. RunPlots.Evaluations(SampleRun.Summary(rounds), rounds)];
        Assert.Equal([0, 2, 4], points.Select(point => point.Round));
        Assert.Equal(new EvaluatedRound(0, 0.1, 2.303), points[0]);
        Assert.Equal([2, 4], RunPlots.Evaluations(SampleRun.Summary(rounds) with { InitialLoss = null }, rounds).Select(point => point.Round));
    }

    [Fact]
    public void Write_NoRounds_DrawsNothing()
    {
        using TemporaryFolder temporary = new();
        RunFolder folder = RunFolder.Open(temporary.Path, "sample", 1, temporary.Path);
        RunPlots.Write(folder, SampleRun.Summary([]), []);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}
