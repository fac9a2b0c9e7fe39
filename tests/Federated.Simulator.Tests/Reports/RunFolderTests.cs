using System.Text.Json.Nodes;
using Federated.Simulator.Reports;
using Federated.Testing;
using Microsoft.Win32.SafeHandles;

namespace Federated.Simulator.Tests.Reports;

public sealed class RunFolderTests
{
    [Fact]
    public void Open_NoName_TakesTheFirstFreeNumber()
    {
        using TemporaryFolder work = new();
        Assert.Equal(Path.Combine(work.Path, "runs", "s-7-1"), RunFolder.Open(null, "s", 7, work.Path).Path);
        Assert.Equal(Path.Combine(work.Path, "runs", "s-7-2"), RunFolder.Open(null, "s", 7, work.Path).Path);
    }

    [Fact]
    public void Open_ForeignFolder_IsRefusedAndKept()
    {
        using TemporaryFolder work = new();
        string precious = Path.Combine(work.Path, "thesis.txt");
        File.WriteAllText(precious, "mine");

        IOException refusal = Assert.Throws<IOException>(() => RunFolder.Open(work.Path, "s", 1, "/"));

        Assert.Contains(work.Path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("new, empty or holds an earlier run", refusal.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(precious));
    }

    [Fact]
    public void Open_AFile_IsRefused()
    {
        using TemporaryFolder work = new();
        string file = Path.Combine(work.Path, "file");
        File.WriteAllText(file, "");
        Assert.Throws<IOException>(() => RunFolder.Open(file, "s", 1, "/"));
    }

    [Fact]
    public async Task Reopen_WithoutARunThatCanGoOn_IsRefused()
    {
        using TemporaryFolder work = new();
        Assert.Contains("no scenario.json", Assert.Throws<IOException>(() => RunFolder.Reopen(work.Path, "/")).Message, StringComparison.Ordinal);

        await RunFolder.Open(work.Path, "s", 1, "/").WriteScenarioAsync("{}", TestContext.Current.CancellationToken);
        Assert.Contains("no run.json", Assert.Throws<IOException>(() => RunFolder.Reopen(work.Path, "/")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"jobId": 7}""")]
    public async Task ReadState_WhatNoRunWrote_IsRefused(string text)
    {
        using TemporaryFolder work = new();
        RunFolder folder = RunFolder.Open(work.Path, "s", 1, "/");
        await folder.WriteScenarioAsync("{}", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder.Of("run.json"), text, TestContext.Current.CancellationToken);
        Assert.Contains("run.json", Assert.Throws<InvalidDataException>(() => RunFolder.Reopen(work.Path, "/").ReadState()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_EarlierRun_RemovesItsFilesAndKeepsOthers()
    {
        using TemporaryFolder work = new();
        RunFolder first = RunFolder.Open(work.Path, "s", 1, "/");
        await first.WriteScenarioAsync("{}", TestContext.Current.CancellationToken);
        await first.WriteSummaryAsync(SampleRun.Summary(SampleRun.Rounds(2)), TestContext.Current.CancellationToken);
        Directory.CreateDirectory(first.ServerPath);
        File.WriteAllText(first.Of("notes.txt"), "kept");

        RunFolder second = RunFolder.Open(work.Path, "s", 1, "/");
        Assert.True(File.Exists(second.SummaryPath), "opening alone removes nothing");
        second.Clear();

        Assert.False(File.Exists(second.SummaryPath));
        Assert.False(Directory.Exists(second.ServerPath));
        Assert.True(File.Exists(second.Of("notes.txt")));
    }

    [Fact]
    public async Task Clear_EarlierRunIsUnderWay_IsRefusedAndKept()
    {
        using TemporaryFolder work = new();
        RunFolder folder = RunFolder.Open(work.Path, "s", 1, "/");
        await folder.WriteSummaryAsync(SampleRun.Summary(SampleRun.Rounds(2)), TestContext.Current.CancellationToken);
        Directory.CreateDirectory(folder.ServerPath);
        using SafeFileHandle held = File.OpenHandle(Path.Combine(folder.ServerPath, "~lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

        Assert.Contains("in use", Assert.Throws<IOException>(folder.Clear).Message, StringComparison.Ordinal);

        Assert.True(File.Exists(folder.SummaryPath));
    }

    [Fact]
    public async Task WriteSummaryAsync_ASummary_HoldsThePromisedFields()
    {
        using TemporaryFolder work = new();
        RunFolder folder = RunFolder.Open(work.Path, "s", 1, "/");
        await folder.WriteSummaryAsync(SampleRun.Summary(SampleRun.Rounds(4)), TestContext.Current.CancellationToken);

        JsonObject summary = JsonNode.Parse(await File.ReadAllTextAsync(folder.SummaryPath, TestContext.Current.CancellationToken))!.AsObject();

        string[] promised =
        [
            "scenario", "seed", "rounds", "targetAccuracy", "roundsToTarget", "finalAccuracy", "wallSeconds", "clientUpdates",
            "clientUpdatesPerSecond", "bytesUpPerClientRound", "bytesDownPerClientRound", "denseFullModelBytes", "denseAdapterBytes",
            "dropped", "late", "peakMemoryBytes",
        ];
        Assert.All(promised, name => Assert.True(summary.ContainsKey(name), name));
        Assert.Equal("targetReached", (string?)summary["outcome"]);
        JsonObject schema = JsonNode.Parse(SummarySchema.Text)!.AsObject();
        Assert.Equal(schema["properties"]!.AsObject().Select(property => property.Key), summary.Select(property => property.Key));
        Assert.Equal(schema["required"]!.AsArray().Select(name => (string?)name), summary.Select(property => property.Key));
    }
}
