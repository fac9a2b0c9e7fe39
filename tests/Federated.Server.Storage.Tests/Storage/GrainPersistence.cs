using Federated.Server.Hosting;
using Federated.Testing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Federated.Server.Storage.Tests.Storage;

/// <summary>Real grains in a real silo, over each blob store.</summary>
public abstract class GrainPersistence(StorageOptions options) : IAsyncLifetime
{
    private const string StateBlob = "grains/memo/memo/one.json";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private InProcessTestCluster _cluster = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IMemoGrain Grain => _cluster.Client.GetGrain<IMemoGrain>("one");

    private IBlobStore Blobs => _cluster.Silos[0].ServiceProvider.GetRequiredService<IBlobStore>();

    public ValueTask InitializeAsync() => Deploy();

    public virtual async ValueTask DisposeAsync()
    {
        await Stop();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task State_Written_SurvivesDeactivationAndRestart()
    {
        (Memo memo, bool exists, string activation) = await Grain.Get();
        Assert.Equal(("untitled", false), (memo.Title, exists));
        await Grain.Set(new Memo { Title = "kept", Rounds = [1, 2] });

        (Memo reloaded, bool nowExists, string secondActivation) = await GetAnew(activation);
        Assert.NotEqual(activation, secondActivation);
        Assert.True(nowExists);
        Assert.Equal("kept", reloaded.Title);
        Assert.Equal([1, 2], reloaded.Rounds);

        await Stop();
        await Deploy();
        Assert.Equal("kept", (await Grain.Get()).Memo.Title);
    }

    [Fact]
    public async Task State_ChangedBehindTheGrain_FailsTheWriteAndIsReadAgain()
    {
        await Grain.Set(new Memo { Title = "mine" });
        await Blobs.WriteAsync(StateBlob, Sequences.Of("{ \"title\": \"theirs\" }"), WriteCondition.Always, Token);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Grain.Set(new Memo { Title = "mine again" }));

        Assert.Equal("theirs", (await Grain.Get()).Memo.Title);
        await Grain.Set(new Memo { Title = "mine at last" });
    }

    [Fact]
    public async Task State_Cleared_IsGone()
    {
        (_, _, string activation) = await Grain.Get();
        await Grain.Set(new Memo { Title = "x" });
        Assert.True(await Blobs.ExistsAsync(StateBlob, Token));

        await Grain.Clear();

        Assert.False(await Blobs.ExistsAsync(StateBlob, Token));
        (_, bool exists, string secondActivation) = await GetAnew(activation);
        Assert.NotEqual(activation, secondActivation);
        Assert.False(exists);
    }

    /// <summary>
    /// What the grain has after it was deactivated. A caller may have its answer before the silo takes the grain for idle, and one that is not idle stays: until the
    /// patience is over it is then tried again.
    /// </summary>
    private async Task<(Memo Memo, bool Exists, string Activation)> GetAnew(string activation)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(_patience);
        (Memo Memo, bool Exists, string Activation) now;
        do
        {
            await _cluster.Client.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
            now = await Grain.Get();
        }
        while (now.Activation == activation && !patience.IsCancellationRequested);

        return now;
    }

    private async ValueTask Deploy()
    {
        InProcessTestClusterBuilder builder = new(1);

        // The silo finds every grain of the server's assembly, and checks that it can serialize what their calls carry.
        builder.ConfigureSiloHost((_, host) => host.Services.AddGrainSerialization());
        builder.ConfigureClientHost(host => host.Services.AddGrainSerialization());
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddFederatedStorage(options);
            silo.AddBlobGrainStorage();
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    private async Task Stop()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
    }
}

public sealed class FileGrainPersistenceTests : GrainPersistence
{
    private readonly TemporaryFolder _folder;

    public FileGrainPersistenceTests()
        : this(new TemporaryFolder())
    {
    }

    private FileGrainPersistenceTests(TemporaryFolder folder)
        : base(new StorageOptions { Path = folder.Path }) => _folder = folder;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}

[Collection(SharedAzurite.Name)]
public sealed class AzureGrainPersistenceTests(AzuriteFixture azurite)
    : GrainPersistence(new StorageOptions { Kind = StorageKind.Azure, ConnectionString = azurite.ConnectionString, Container = azurite.NextContainer() });
