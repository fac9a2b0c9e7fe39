using Federated.Client.Data;
using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Testing;
using Federated.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Client.Tests.Data;

public sealed class GrowingFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Lines _log = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_ImagesAddedBetweenRounds_AreTrainedOnInTheNext()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        Write("cat/1.png", 1);
        Write("dog/2.png", 2);
        Write("dog/secret.jpg", 3, damaged: true);
        DeviceExamples examples = DataSourceSpec.Parse($"images:folder={_folder.Path},size=1x2,channels=1").Open(_time);
        Seen seen = new(examples.Training);
        scene.Source = seen;
        using ModelCache models = scene.Cache();
        List<int> counts = [];
        AgentOptions options = new() { Rounds = 2, FirstBackoff = scene.Options.FirstBackoff, LongestBackoff = scene.Options.LongestBackoff };
        Agent agent = new(
            new ClientIdentity("device-1", "pop", new Dictionary<string, string>()),
            scene.Session(models),
            options,
            TimeProvider.System,
            _log,
            [new ExampleRefresh(examples, _log)]);

        _ = await agent.RunAsync(
            report =>
            {
                Assert.True(report.Result == SessionResult.Accepted, $"{report.Result}, {report.Outcome}: {report.Detail}");
                counts.Add(report.Training!.Examples);
                if (counts.Count == 1)
                {
                    Write("cat/4.png", 4);
                    Write("bird/5.png", 5);
                }
            },
            null,
            TestContext.Current.CancellationToken).WaitAsync(RoundScene.Patience, TestContext.Current.CancellationToken);

        Assert.Equal([2, 3], counts);
        (_, byte[] payload) = scene.Script.Contributions.First();
        Assert.Equal(2, UpdateDocument.FromBytes(payload, RoundScene.Parameters).ExampleCount);
        Assert.Equal([(1, 0), (1, 0), (2, 1), (2, 1), (4, 0)], seen.Examples.Order());
        Assert.Equal(
            [
                "Warning: The folder of examples: 2 files taken, 1 cannot be decoded. 2 examples to train on, 0 held out.",
                "Warning: The folder of examples: 3 files taken, 1 cannot be decoded, 1 in number are sub-folders without a class. 3 examples to train on, 0 held out.",
            ],
            _log.Written.Where(line => line.Contains("folder", StringComparison.Ordinal)));
    }

    [Fact]
    public void Refresh_ImagesAdded_KeepTheSideOfTheOthers()
    {
        for (int i = 0; i < 60; i++)
        {
            Write($"a/{i:000}.png", (byte)i);
        }

        DeviceExamples examples = DataSourceSpec.Parse($"images:folder={_folder.Path},size=1x1,channels=1,holdout=0.3,limit=20,seed=3").Open(_time);
        int[] heldOut = Values(examples.HeldOut);
        Assert.InRange(heldOut.Length, 5, 35);
        for (int i = 60; i < 120; i++)
        {
            Write($"a/{199 - i:000}x.png", (byte)i);
        }

        Assert.True(examples.Refresh());

        Assert.Equal(heldOut.Order(), Values(examples.HeldOut).Where(value => value < 60).Order());
        Assert.Equal(20, examples.Training.Count);
        Assert.Empty(Values(examples.Training).Intersect(Values(examples.HeldOut)));
        Assert.False(examples.Refresh());
    }

    [Fact]
    public async Task Ask_FolderGone_KeepsTheExamplesAndSaysSoOnce()
    {
        string images = Directory.CreateDirectory(Path.Combine(_folder.Path, "images")).FullName;
        Write("images/a/1.png", 1);
        DeviceExamples examples = DataSourceSpec.Parse($"images:folder={images},size=1x1,channels=1").Open(_time);
        ExampleRefresh refresh = new(examples, _log);
        _ = await refresh.AskAsync(TestContext.Current.CancellationToken);
        Directory.Delete(images, recursive: true);

        Assert.Null(await refresh.AskAsync(TestContext.Current.CancellationToken));
        Assert.Null(await refresh.AskAsync(TestContext.Current.CancellationToken));

        Assert.Equal(1, examples.Training.Count);
        Assert.Single(_log.Written, line => line.Contains("cannot be read (DirectoryNotFoundException)", StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Written, line => line.Contains(images, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ask_TextsDeletedSoThatTheSliceDoesNotFit_TrainsOnNothing()
    {
        string path = Path.Combine(_folder.Path, "long.txt");
        File.WriteAllText(path, new string('a', 40));
        File.WriteAllText(Path.Combine(_folder.Path, "short.txt"), new string('b', 12));
        DeviceExamples examples = DataSourceSpec.Parse($"text:folder={_folder.Path},length=4,slice=0:8").Open(_time);
        Assert.Equal(8, examples.Training.Count);
        ExampleRefresh refresh = new(examples, _log);
        File.Delete(path);

        Assert.Null(await refresh.AskAsync(TestContext.Current.CancellationToken));
        Assert.Null(await refresh.AskAsync(TestContext.Current.CancellationToken));

        Assert.Equal(0, examples.Training.Count);
        Assert.Single(_log.Written, line => line.Contains("cannot be split as --data says", StringComparison.Ordinal) && line.Contains("the slice 0:8 ends beyond", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("size=8,channels=1", "the size is '8'")]
    [InlineData("size=8x,channels=1", "the size is '8x'")]
    [InlineData("size=0x8,channels=1", "the size is '0x8'")]
    [InlineData("size=8x1025,channels=1", "the size is '8x1025'")]
    [InlineData("size=8x8x3,channels=1", "the size is '8x8x3'")]
    [InlineData("size=8x8,channels=2", "channels is '2'")]
    public void Open_WrongValue_SaysWhatAndWhatIsAllowed(string settings, string what)
    {
        FormatException e = Assert.Throws<FormatException>(() => DataSourceSpec.Parse($"images:folder={_folder.Path},{settings}").Open(_time));
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rate=999,mels=40,frames=98", "the rate is '999'")]
    [InlineData("rate=16000,mels=0,frames=98", "the mels is '0'")]
    [InlineData("rate=16000,mels=40,frames=1e9", "the frames is '1e9'")]
    [InlineData("rate=16000,mels=40,frames=98,window=1", "the window is '1'")]
    [InlineData("rate=16000,mels=40,frames=98,hop=0", "the hop is '0'")]
    public void Open_WrongValueOfSound_SaysWhatAndWhatIsAllowed(string settings, string what)
    {
        FormatException e = Assert.Throws<FormatException>(() => DataSourceSpec.Parse($"audio:folder={_folder.Path},{settings}").Open(_time));
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Sound_HasTheShapeAskedFor()
    {
        byte[] wav = [.. "RIFF"u8, 46, 0, 0, 0, .. "WAVEfmt "u8, 16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0x3e, 0, 0, 0, 0x7d, 0, 0, 2, 0, 16, 0, .. "data"u8, 10, 0, 0, 0, .. new byte[10]];
        string path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.Path, "yes")).FullName, "1.wav");
        File.WriteAllBytes(path, wav);
        File.SetLastWriteTimeUtc(path, _time.GetUtcNow().UtcDateTime.AddMinutes(-1));

        DeviceExamples examples = DataSourceSpec.Parse($"audio:folder={_folder.Path},rate=16000,mels=40,frames=98").Open(_time);

        Assert.Equal((1, 40 * 98), (examples.Training.Count, examples.Training.Format.FeatureLength));
    }

    private static int[] Values(IExampleSource examples)
    {
        float[] features = new float[examples.Count];
        examples.CopyTo([.. Enumerable.Range(0, examples.Count)], features, new long[examples.Count]);
        return [.. features.Select(feature => (int)Math.Round(feature * 255))];
    }

    private void Write(string name, byte value, bool damaged = false)
    {
        string path = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        byte[] png = ImageFiles.Png(1, 1, [value]);
        File.WriteAllBytes(path, damaged ? png[..20] : png);
        File.SetLastWriteTimeUtc(path, _time.GetUtcNow().UtcDateTime);
        _time.Advance(TimeSpan.FromSeconds(10));
    }

    /// <summary>Notes the first feature, as a byte, and the label of what is copied out.</summary>
    private sealed class Seen(IExampleSource source) : IExampleSource
    {
        public List<(int Value, int Label)> Examples { get; } = [];

        public int Count => source.Count;

        public ExampleFormat Format => source.Format;

        public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
        {
            source.CopyTo(indices, batch);
            for (int i = 0; i < indices.Length; i++)
            {
                Examples.Add(((int)Math.Round(batch.Features[i * Format.FeatureLength] * 255), (int)batch.Labels[i]));
            }
        }
    }

    private sealed class Lines : ILogger
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add($"{logLevel}: {formatter(state, exception)}");
    }
}
