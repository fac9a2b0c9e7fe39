using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Shared.Protocol;
using Federated.Testing;

namespace Federated.Client.Tests.Session;

public sealed class MaskedRoundsTests
{
    [Fact]
    public async Task Allows_AnotherProcessAfterAMaskedInput_RefusesTheRoundAndEarlierOnes()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "masked");
        MaskedRounds first = new(path);
        Assert.True(first.Allows(scene.Plan));
        first.Sent(scene.Plan);
        Assert.False(first.Allows(scene.Plan));

        MaskedRounds restarted = new(path);
        Assert.False(restarted.Allows(scene.Plan));
        Assert.False(restarted.Allows(scene.Plan with { Round = scene.Plan.Round - 1 }));
        Assert.False(restarted.Allows(scene.Plan with { Group = 5, ModelVersion = 99 }));
        Assert.True(restarted.Allows(scene.Plan with { Round = scene.Plan.Round + 1 }));
        Assert.True(restarted.Allows(scene.Plan with { JobId = "another" }));
    }

    [Fact]
    public async Task Allows_DamagedFile_RefusesTheJob()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        File.WriteAllBytes(Path.Combine(folder.Path, "job.masked"), [1, 2, 3]);
        Assert.False(new MaskedRounds(folder.Path).Allows(scene.Plan));
        Assert.True(new MaskedRounds(folder.Path).Allows(scene.Plan with { JobId = "another" }));
    }

    [Fact]
    public async Task Allows_FileThatCannotBeRead_RefusesTheJob()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        new MaskedRounds(folder.Path).Sent(scene.Plan);
        using FileStream held = new(Path.Combine(folder.Path, "job.masked"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        MaskedRounds rounds = new(folder.Path);

        Assert.False(rounds.Allows(scene.Plan with { Round = scene.Plan.Round + 1 }));
        Assert.True(rounds.Knows("job"));
        Assert.False(rounds.Knows("another"));
        Assert.Contains($"delete '{held.Name}'", rounds.Refusal(scene.Plan), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reached_AnotherProcess_TellsTheLastRoundAndNothingOfADamagedFile()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        new MaskedRounds(folder.Path).Sent(scene.Plan);
        File.WriteAllBytes(Path.Combine(folder.Path, "damaged.masked"), [1, 2, 3]);

        MaskedRounds rounds = new(folder.Path);

        Assert.Equal(scene.Plan.Round, rounds.Reached("job"));
        Assert.Equal(0, rounds.Reached("damaged"));
        Assert.Equal(0, rounds.Reached("another"));
    }

    [Fact]
    public async Task Sent_FolderThatCannotBeWritten_LetsNothingLeave()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "file");
        File.WriteAllText(file, "in the way");
        RoundAbortException refused = Assert.Throws<RoundAbortException>(() => new MaskedRounds(file).Sent(scene.Plan));
        Assert.Contains("cannot be written to", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sent_NameThatIsAPath_IsRefused()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        Assert.Throws<ProtocolViolationException>(() => new MaskedRounds(folder.Path).Sent(scene.Plan with { JobId = "../../escape" }));
    }
}
