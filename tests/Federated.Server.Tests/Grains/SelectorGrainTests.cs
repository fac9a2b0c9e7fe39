using Federated.Server.Grains;
using Federated.Server.Hosting;
using Federated.Server.Storage;
using Federated.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace Federated.Server.Tests.Grains;

/// <summary>The pool of a population in a real silo.</summary>
public sealed class SelectorGrainTests : IAsyncLifetime
{
    private const string Population = "homes";

    private static readonly TimeSpan _long = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _leastIdle = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder _folder = new();
    private InProcessTestCluster _cluster = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ISelectorGrain Selector => _cluster.Client.GetGrain<ISelectorGrain>(Population);

    [Fact]
    public async Task CheckIn_HoldEndsWhileThePlanIsBeingMade_IsAssigned()
    {
        Task<string[]> selection = Selector.Select(Demand("job-1", 1, _long));
        Task<CheckInAnswer> checkIn;
        do
        {
            // One that comes before the demand is there is sent away at once, and comes again.
            checkIn = Selector.CheckIn(Device("pi-1", TimeSpan.Zero), Ct);
        }
        while (await Task.WhenAny(selection, checkIn) != selection);

        Assert.Equal(["pi-1"], await selection);

        await Selector.Assign("job-1", 1, ["pi-1"], [1, 2, 3]);

        CheckInAnswer answer = await checkIn;
        Assert.Equal(("job-1", 1L), (answer.JobId, answer.Round));
        Assert.Equal([1, 2, 3], answer.Plan);
    }

    [Fact]
    public async Task CheckIn_AsJobsComeAndGo_WaitsLongOnlyWhileNoneWantsDevices()
    {
        Assert.InRange(await RetryAsync(), _leastIdle, TimeSpan.MaxValue);

        Assert.Empty(await Selector.Select(Demand("job-1", 5, TimeSpan.Zero)));
        Assert.Empty(await Selector.Select(Demand("job-2", 5, TimeSpan.Zero)));
        Assert.InRange(await RetryAsync(), TimeSpan.Zero, _leastIdle / 2);

        await Selector.Withdraw("job-1");
        Assert.InRange(await RetryAsync(), TimeSpan.Zero, _leastIdle / 2);

        await Selector.Withdraw("job-2");
        Assert.InRange(await RetryAsync(), _leastIdle, TimeSpan.MaxValue);
    }

    [Fact]
    public async Task CheckIn_SomebodyElseWaits_KeepsThem()
    {
        Task<CheckInAnswer> waiting = Selector.CheckIn(Device("pi-1", _long), Ct);
        Assert.Null((await Selector.CheckIn(Device("pi-2", TimeSpan.Zero), Ct)).JobId);

        Assert.Equal(["pi-1"], await Selector.Select(Demand("job-1", 1, _long)));
        await Selector.Assign("job-1", 1, ["pi-1"], [1]);

        Assert.Equal("job-1", (await waiting).JobId);
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        InProcessTestClusterBuilder builder = new(1);
        builder.ConfigureSiloHost((_, host) => host.Services.AddGrainSerialization());
        builder.ConfigureClientHost(host => host.Services.AddGrainSerialization());
        builder.ConfigureClient(client => client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = 2 * _long));
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddFederatedStorage(new StorageOptions { Path = _folder.Path });
            silo.Services.AddSingleton(Options.Create(new SelectionOptions { PlanPatience = TimeSpan.FromMinutes(1) }));
            silo.AddBlobGrainStorage();
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        _folder.Dispose();
    }

    private static CohortDemand Demand(string jobId, int devices, TimeSpan hold) => new()
    {
        JobId = jobId,
        Round = 1,
        Count = devices,
        Fewest = devices,
        MinimumPool = 0,
        Seed = 1,
        Hold = hold,
    };

    private static CheckIn Device(string name, TimeSpan hold) => new() { DeviceId = name, Labels = [], ClientVersion = "1", Engine = "none", Hold = hold };

    private async Task<TimeSpan> RetryAsync()
    {
        CheckInAnswer answer = await Selector.CheckIn(Device("pi-1", TimeSpan.Zero), Ct);
        Assert.Null(answer.JobId);
        return answer.RetryAfter;
    }
}
