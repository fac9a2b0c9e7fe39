using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protos;
using Federated.Testing;
using Federated.Training;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Client.Tests.Transport;

public sealed class DownloadTests
{
    [Fact]
    public async Task Download_BrokenTwice_ResumesByOffset()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.BreakDownload(scene.Adapter, 3_500, 100_001);

        SessionReport report = await scene.RunAcceptedAsync();

        Assert.Equal([0, 3_500, 100_001], scene.OffsetsOf(scene.Adapter));
        Assert.Equal((scene.Script.BytesUp, scene.Script.BytesDown), (report.BytesUp, report.BytesDown));
    }

    [Fact]
    public async Task Download_CorruptOnce_IsFetchedAgainFromTheBeginning()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.CorruptDownloads[scene.Adapter] = 1;

        await scene.RunAcceptedAsync();

        Assert.Equal([0, 0], scene.OffsetsOf(scene.Adapter));
    }

    [Fact]
    public async Task Download_CorruptTwice_IsRefused()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.CorruptDownloads[scene.Adapter] = 2;

        Assert.Equal(SessionResult.Aborted, (await scene.RunAsync()).Result);

        AbortReport abort = Assert.Single(scene.Script.Aborts);
        Assert.Equal(AbortReason.TransferFailed, abort.Reason);
        Assert.Contains("did not hash to its name", abort.Detail, StringComparison.Ordinal);
        Assert.Equal([0, 0], scene.OffsetsOf(scene.Adapter));
    }

    [Fact]
    public async Task Download_LongerThanAnnounced_IsRefused()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.Objects[scene.Adapter] = [.. scene.Script.Objects[scene.Adapter], 0];

        Assert.Equal(SessionResult.Aborted, (await scene.RunAsync()).Result);

        Assert.Contains("announced were", Assert.Single(scene.Script.Aborts).Detail, StringComparison.Ordinal);
        Assert.Single(scene.OffsetsOf(scene.Adapter));
    }

    [Fact]
    public async Task Package_Used_IsMarkedByTheClockOfTheCache()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        FakeTimeProvider time = new(new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero));
        scene.CacheOptions = scene.CacheOptions with { Folder = folder.Path, Time = time };
        await scene.RunAcceptedAsync();

        // A new process finds the package in the folder.
        await scene.RunAcceptedAsync();

        Assert.Equal(time.GetUtcNow().UtcDateTime, File.GetLastWriteTimeUtc(Path.Combine(folder.Path, scene.Package.Hex)));
    }

    [Fact]
    public async Task Download_BelowARate_WaitsOnTheClockOfTheLink()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        byte[] adapter = scene.Script.Objects[scene.Adapter];
        ImpatientClock time = new();
        await using GrpcServerLink link = GrpcServerLink.Connect(scene.Server.Address, new GrpcLinkOptions { MaxBytesPerSecond = 100, Time = time });
        using MemorySink sink = new(scene.Adapter, "adapter", adapter.Length);

        await link.DownloadAsync(scene.Adapter, 0, sink, direct: false, RoundScene.Patience, new ByteCounter(), TestContext.Current.CancellationToken);

        Assert.Equal(adapter, sink.TakeArray());
        Assert.True(time.Waited > TimeSpan.FromSeconds(adapter.Length / 200), $"{adapter.Length} bytes at 100 a second were waited for {time.Waited}.");
    }

    [Fact]
    public async Task Package_BrokenAndRestarted_GoesOnFromTheFile()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        string folder = Directory.CreateTempSubdirectory("federated-client-").FullName;
        try
        {
            scene.CacheOptions = scene.CacheOptions with { Folder = folder };
            using CancellationTokenSource stop = new();
            scene.Script.BreakDownload(scene.Gradient, 2_345);
            scene.Link = new StoppingLink(scene.Link, stop, afterBytes: 2_345);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.RunUntilAsync(stop.Token));
            string part = Path.Combine(folder, scene.Gradient.Hex + ".part");
            Assert.Equal(2_345, new FileInfo(part).Length);

            // A new process: nothing in memory, the same folder.
            await scene.RunAcceptedAsync();
            Assert.Equal([0, 2_345], scene.OffsetsOf(scene.Gradient));
            Assert.Single(scene.OffsetsOf(scene.Package));
            Assert.False(File.Exists(part));

            // And a third, for which a disk error has changed the file.
            await File.WriteAllBytesAsync(Path.Combine(folder, scene.Gradient.Hex), [1, 2, 3], TestContext.Current.CancellationToken);
            await scene.RunAcceptedAsync();
            Assert.Equal([0, 2_345, 0], scene.OffsetsOf(scene.Gradient));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Adapter_BrokenAndRestarted_GoesOnFromTheFileAndReplacesTheEarlierOne()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        scene.CacheOptions = scene.CacheOptions with { Folder = folder.Path };
        string adapters = Directory.CreateDirectory(Path.Combine(folder.Path, "adapters")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(adapters, new string('a', 64)), [1], TestContext.Current.CancellationToken);
        using CancellationTokenSource stop = new();
        scene.Script.BreakDownload(scene.Adapter, 123_000);
        scene.Link = new StoppingLink(scene.Link, stop, afterBytes: 123_000);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.RunUntilAsync(stop.Token));

        await scene.RunAcceptedAsync();
        await scene.RunAcceptedAsync();

        Assert.Equal([0, 123_000], scene.OffsetsOf(scene.Adapter));
        Assert.Equal([scene.Adapter.Hex], Directory.EnumerateFiles(adapters).Select(file => Path.GetFileName(file)));
    }

    [Fact]
    public async Task Package_FolderFull_MakesRoomForItAndKeepsWhatIsUsed()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        string old = folder.Write("old", new byte[5_000]);
        File.SetLastWriteTimeUtc(old, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        scene.CacheOptions = scene.CacheOptions with { Folder = folder.Path, MaxFolderBytes = 9_000 };

        await scene.RunAcceptedAsync();
        await scene.RunAcceptedAsync();

        Assert.False(File.Exists(old));
        Assert.Equal([0], scene.OffsetsOf(scene.Gradient));
        Assert.Equal([0], scene.OffsetsOf(scene.Package));
    }

    [Fact]
    public async Task Package_LargerThanTheFolder_IsRefusedWithTheWayOut()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using TemporaryFolder folder = new();
        scene.CacheOptions = scene.CacheOptions with { Folder = folder.Path, MaxFolderBytes = 4_000 };

        SessionReport report = await scene.RunAsync();

        Assert.Equal(SessionResult.Aborted, report.Result);
        Assert.Contains("--cache-mebibytes", report.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public async Task Package_AnotherOneLoaded_IsFreedWhereOneIsToBeHeld(bool one, int fetched)
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.CacheOptions = scene.CacheOptions with { OnePackageInMemory = one };
        ContentHash other = scene.Script.Add((scene.Manifest with { Name = "other" }).ToBytes());
        using ModelCache models = scene.Cache();
        foreach (ContentHash package in new[] { scene.Package, scene.Package, other, scene.Package })
        {
            scene.Plan = scene.Plan with { Package = package };
            Assert.Equal(SessionResult.Accepted, (await scene.Session(models).RunOnceAsync(TestContext.Current.CancellationToken)).Result);
        }

        Assert.Equal(fetched, scene.OffsetsOf(scene.Package).Count());
        Assert.Single(scene.OffsetsOf(other));
    }

    [Fact]
    public async Task Download_ForbiddenByThePolicyMeanwhile_StopsAndGoesOnWhenItMay()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        await scene.RunAcceptedAsync();
        int undisturbed = scene.Script.Downloads.Count;
        OnceClosed pacing = new();
        scene.Pacing = pacing;

        await scene.RunAcceptedAsync();

        Assert.Equal(1, pacing.Held);
        Assert.Equal((2 * undisturbed) + 1, scene.Script.Downloads.Count);
    }

    [Fact]
    public async Task Package_WholePartLeftBehind_IsVerifiedAndKept()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        string folder = Directory.CreateTempSubdirectory("federated-client-").FullName;
        try
        {
            scene.CacheOptions = scene.CacheOptions with { Folder = folder };
            string path = Path.Combine(folder, scene.Gradient.Hex);
            await File.WriteAllBytesAsync(path + ".part", scene.Script.Objects[scene.Gradient], TestContext.Current.CancellationToken);

            await scene.RunAcceptedAsync();

            Assert.Equal([5_000], scene.OffsetsOf(scene.Gradient));
            Assert.True(File.Exists(path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Package_SharedByDevices_IsChargedAsTold(bool everyDevice)
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.CacheOptions = scene.CacheOptions with { ChargeEveryDevice = everyDevice };
        using ModelCache models = scene.Cache();
        long[] down = await Task.WhenAll(Enumerable.Range(0, 3).Select(async i =>
        {
            ClientSession session = new(
                new ClientIdentity($"device-{i}", "pop", new Dictionary<string, string>()),
                scene.Link,
                models,
                scene.Source,
                scene.Options,
                TimeProvider.System);
            return (await session.RunOnceAsync(TestContext.Current.CancellationToken)).BytesDown;
        }));

        Assert.Single(scene.OffsetsOf(scene.Gradient));
        Assert.Equal(everyDevice ? 3 : 1, down.Count(bytes => bytes > 4 * RoundScene.Parameters + 5_000));
    }

    /// <summary>Stops the client once so many bytes of one download were taken.</summary>
    private sealed class StoppingLink(IServerLink inner, CancellationTokenSource stop, long afterBytes) : ForwardingLink(inner)
    {
        public override async Task DownloadAsync(
            Shared.Models.ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
        {
            try
            {
                await base.DownloadAsync(content, offset, sink, direct, timeout, counter, cancellationToken);
            }
            catch (ServerLinkException) when (sink is VerifiedSink verified && verified.Position == afterBytes)
            {
                await stop.CancelAsync();
                throw;
            }
        }
    }

    /// <summary>Closes when bytes are about to be taken for the second time, and opens when somebody waits.</summary>
    private sealed class OnceClosed : IRoundPacing, IDisposable
    {
        private int _asked;
        private bool _closed;

        public int Held { get; private set; }

        public bool IsOpen
        {
            get
            {
                _closed |= ++_asked == 2;
                return !_closed;
            }
        }

        public IDisposable Begin() => this;

        public ValueTask PassAsync(CancellationToken cancellationToken)
        {
            Held += _closed ? 1 : 0;
            _closed = false;
            return ValueTask.CompletedTask;
        }

        public IModelWorkspace Pace(IModelWorkspace workspace, CancellationToken cancellationToken) => workspace;

        public void Dispose()
        {
        }
    }

    /// <summary>Waits for nothing, and sums what it was to wait.</summary>
    private sealed class ImpatientClock : TimeProvider
    {
        public TimeSpan Waited { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waited += dueTime;
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
