using Federated.Server.Collection;
using Federated.Server.Events;
using Federated.Server.Grains;
using Federated.Server.Grpc;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Server.Telemetry;
using Federated.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.TestingHost;

namespace Federated.Server.Tests.Grains;

/// <summary>One job's grains in a real silo without gRPC and HTTP, over a store that outlives the silo. Calls between grains fail as the test wants.</summary>
internal sealed class JobScene : IAsyncDisposable, IIncomingGrainCallFilter
{
    /// <summary>The job.</summary>
    public const string JobId = "job-1";

    private const string Population = "homes";

    private static readonly TimeSpan _hold = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private InProcessTestCluster? _cluster;
    private volatile Func<IIncomingGrainCallContext, bool> _fails = _ => false;

    private JobScene()
    {
    }

    /// <summary>Which calls fail before they reach their grain.</summary>
    public Func<IIncomingGrainCallContext, bool> Fails
    {
        set => _fails = value;
    }

    /// <summary>The job's grain.</summary>
    public IJobGrain Job => _cluster!.Client.GetGrain<IJobGrain>(JobId);

    /// <summary>What whoever watches is told.</summary>
    public EventFeed Events => _cluster!.GetSiloServiceProvider().GetRequiredService<EventFeed>();

    /// <summary>What the edge knows of rounds.</summary>
    public RoundDirectory Rounds => new(_cluster!.Client, _cluster.GetSiloServiceProvider().GetRequiredService<JobModels>());

    private ISelectorGrain Selector => _cluster!.Client.GetGrain<ISelectorGrain>(Population);

    /// <summary>Submits a job whose rounds are of so many devices.</summary>
    public static async Task<JobScene> SubmitAsync(int rounds, int devices)
    {
        JobScene scene = new();
        await scene.StartAsync();
        Assert.Equal(JobId, await scene._cluster!.Client.GetGrain<IJobDirectoryGrain>(0).Reserve("job"));
        await scene.Job.Submit($$"""
            {
              "name": "job", "population": "{{Population}}", "rounds": {{rounds}},
              "model": { "builder": "vector", "parameters": 4 },
              "cohort": { "goal": {{devices}}, "overSelection": 1, "quorum": 1, "minimumPool": {{devices}} },
              "deadlines": { "reportSeconds": 3600 }
            }
            """);
        return scene;
    }

    /// <summary>The grain of a round of the job.</summary>
    public IRoundGrain Round(long round) => _cluster!.Client.GetGrain<IRoundGrain>(GrainKeys.Round(JobId, round));

    /// <summary>Where a round's state lies while it is kept.</summary>
    public string StateOfRound(long round) => Path.Combine(_folder.Path, "grains", "round", "round", $"{JobId}_2f{round}.json");

    /// <summary>Checks a device in until it is assigned to a round.</summary>
    public async Task<CheckInAnswer> AssignedAsync(string device)
    {
        CheckInAnswer answer;
        do
        {
            answer = await Selector.CheckIn(
                new CheckIn { DeviceId = device, Labels = [], ClientVersion = "1", Engine = "none", Hold = _hold }, TestContext.Current.CancellationToken);
        }
        while (answer.JobId is null);
        return answer;
    }

    /// <summary>Plays rounds of one device that gives each of them up.</summary>
    public async Task AbandonAsync(int rounds)
    {
        for (int round = 1; round <= rounds; round++)
        {
            CheckInAnswer answer = await AssignedAsync("device-1");
            Assert.Equal(round, answer.Round);
            await Round(round).Abort("device-1", "test");
        }
    }

    /// <summary>Starts a silo over the store.</summary>
    public async Task StartAsync()
    {
        InProcessTestClusterBuilder builder = new(1);
        builder.ConfigureSiloHost((_, host) => host.Services.AddGrainSerialization());
        builder.ConfigureClientHost(host => host.Services.AddGrainSerialization());
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddFederatedStorage(new StorageOptions { Path = _folder.Path });
            silo.Services.AddSingleton(Options.Create(new SelectionOptions()));
            silo.Services.AddSingleton(Options.Create(new StagingOptions()));
            silo.Services.AddSingleton(new ServerThreads(1));
            silo.Services.AddSingleton<HotObjects>();
            silo.Services.AddSingleton<UpdateStaging>();
            silo.Services.AddSingleton<PartialSumStore>();
            silo.Services.AddSingleton<PackageStore>();
            silo.Services.AddSingleton<JobModels>();
            silo.Services.AddSingleton<RoundRecords>();
            silo.Services.AddSingleton(new TimelineRecorder(TimeProvider.System));
            silo.Services.AddSingleton<RoundTimelines>();
            silo.Services.AddSingleton(provider => new FleetCensus(TimeProvider.System, provider.GetRequiredService<TimelineRecorder>()));
            silo.Services.AddSingleton(provider => new ServerMetrics(provider.GetRequiredService<FleetCensus>(), nameof(JobScene)));
            silo.Services.AddSingleton<RoundTrace>();
            silo.Services.AddSingleton(provider => new RoundTelemetry(provider.GetRequiredService<ServerMetrics>(), provider.GetRequiredService<RoundTrace>()));
            silo.Services.AddSingleton(new EventFeed(TimeProvider.System));
            silo.Services.AddSingleton<RoundRunnerFactory>();
            silo.AddBlobGrainStorage();
            silo.AddIncomingGrainCallFilter(this);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    /// <summary>Stops the silo; the store stays.</summary>
    public async Task StopAsync()
    {
        if (_cluster is { } cluster)
        {
            _cluster = null;
            await cluster.StopAllSilosAsync();
            await cluster.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public Task Invoke(IIncomingGrainCallContext context) =>
        _fails(context) ? throw new IOException($"{context.InterfaceMethod.Name} fails because the test wants it.") : context.Invoke();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }
}
