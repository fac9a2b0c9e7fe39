using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Federated.Server.Access;
using Federated.Server.Api;
using Federated.Server.Collection;
using Federated.Server.Dashboard;
using Federated.Server.Events;
using Federated.Server.Grains;
using Federated.Server.Grpc;
using Federated.Server.Identity;
using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Server.Telemetry;
using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;
using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Federated.Server.Hosting;

/// <summary>
/// The server as a library: an Orleans silo, the gRPC edge and the HTTP API in one host. The server process and the simulator start
/// it the same way.
/// </summary>
public sealed class FederatedServer : IAsyncDisposable
{
    private const int MaxStreamsPerConnection = 1024;
    private const int StreamWindowBytes = 256 << 10;

    /// <summary>How long calls under way may take to end when the server stops; then they are cut off.</summary>
    internal static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;

    private FederatedServer(WebApplication app, Uri grpcAddress, Uri apiAddress, string? firstOperatorToken)
    {
        FirstOperatorToken = firstOperatorToken;
        _app = app;
        GrpcAddress = grpcAddress;
        ApiAddress = apiAddress;
    }

    /// <summary>Where devices connect.</summary>
    public Uri GrpcAddress { get; }

    /// <summary>Where the API answers.</summary>
    public Uri ApiAddress { get; }

    /// <summary>
    /// The token that was made because access is demanded and nobody could have had it; null when none was made. It cannot be had again.
    /// </summary>
    public string? FirstOperatorToken { get; }

    /// <summary>Starts the server and goes on with the jobs that the store holds.</summary>
    /// <exception cref="RefusedOptionsException">The options cannot be used.</exception>
    /// <exception cref="IOException">The store is in use by another process, or does not take what is written.</exception>
    /// <exception cref="InvalidOperationException">A port is taken, or may not be opened.</exception>
    /// <exception cref="OperationCanceledException">The start was broken off, by <paramref name="ct"/> or by a signal to the process.</exception>
    public static async Task<FederatedServer> StartAsync(ServerOptions options, CancellationToken ct = default)
    {
        DeviceEndpoint.Check(options);
        PortCheck.Demand(options);
        StartPhase phase = new(ct);
        WebApplication app = Build(options, phase);
        phase.Begin(app.Lifetime);
        string? firstToken;
        try
        {
            // The store first: by default the authority lies in its folder, and what is wrong with that is not the authority's fault.
            _ = app.Services.GetRequiredService<IBlobStore>();
            _ = app.Services.GetService<DeviceAuthority>();
            await app.Services.GetRequiredService<DeviceRegistry>().LoadAsync(ct);
            firstToken = await AccessSetup.OpenAsync(app.Services, options, ct);
            await app.StartAsync(ct);
            phase.End();
        }
        catch (Exception e)
        {
            await app.DisposeAsync();
            if (phase.IsBrokenOff)
            {
                throw new OperationCanceledException("The start of the server was broken off.", e, ct);
            }

            throw;
        }

        ServerAddresses addresses = app.Services.GetRequiredService<ServerAddresses>();
        (addresses.Api, addresses.Grpc) = BoundAddresses(app, options);
        return new FederatedServer(app, addresses.Grpc, addresses.Api, firstToken);
    }

    /// <summary>Completes when the process is asked to stop.</summary>
    public Task WaitForShutdownAsync(CancellationToken ct = default) => _app.WaitForShutdownAsync(ct);

    /// <summary>Stops accepting calls, deactivates the grains and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static WebApplication Build(ServerOptions options, StartPhase phase)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });

        // Standard output belongs to what a command prints.
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(options.LogLevel);
        LogLevel errors = options.LogLevel > LogLevel.Error ? options.LogLevel : LogLevel.Error;
        builder.Logging.AddFilter("Orleans", level => level >= errors && !phase.IsBrokenOff);
        builder.Logging.AddFilter("Polly", errors);
        builder.Logging.AddFilter("OpenTelemetry", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", level => level >= LogLevel.Warning && !phase.IsBrokenOff);
        builder.Logging.AddFilter("Grpc", LogLevel.Warning);

        // It warns that its keys are not encrypted: they lie in a folder that only the server's user can read.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", errors);
        foreach (ILoggerProvider logger in options.Loggers)
        {
            builder.Logging.AddProvider(logger);
        }

        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddRouting();
        builder.Services.AddAccess(options);
        builder.Services.AddApiDocument();
        builder.Services.AddTelemetry(options);
        builder.Services.AddDashboard();
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json => RoundRecords.Apply(json.SerializerOptions));
        AddFederated(builder.Services, options);
        AddIdentity(builder.Services, options);
        builder.Host.UseOrleans(silo =>
        {
            ConfigureSilo(silo);
            if (options.Statistics)
            {
                OrleansPages.Add(silo);
            }
        });

        WebApplication app = builder.Build();
        app.UseRouting();
        app.UseMiddleware<ApiErrors>();
        app.UseAccess(options);
        bool enrolls = !options.Identity.InsecureLoopback;
        if (enrolls)
        {
            app.UseMiddleware<CallerGate>();
            app.UseMiddleware<MessageGate>();
        }

        app.MapGrpcService<DeviceGateway>();
        app.MapGrpcService<TransferGateway>();
        app.MapGrpcService<UpdateGateway>();
        app.MapGrpcService<GroupGateway>();
        if (enrolls)
        {
            app.MapGrpcService<EnrollmentGateway>();
        }

        app.MapLogin();
        app.MapFederatedApi();
        app.MapApiDocument();
        app.MapTelemetry();
        app.MapDashboard();
        if (options.Statistics)
        {
            OrleansPages.Map(app);
        }

        return app;
    }

    private static void AddFederated(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options.Time);
        services.AddFederatedStorage(options.Storage);
        services.AddSingleton(Options.Create(options.Selection));
        services.AddSingleton(Options.Create(options.Staging));
        services.AddSingleton(new ServerThreads(options.Threads));
        services.AddSingleton<ServerAddresses>();
        if (options.ApiCertificate is { } files)
        {
            services.AddSingleton(files);
            services.AddSingleton<ApiCertificate>();
        }

        services.AddSingleton<IMemoryPoolFactory<byte>, TransferMemoryPoolFactory>();
        services.AddSingleton<HotObjects>();
        services.AddSingleton<UpdateStaging>();
        services.AddSingleton<PartialSumStore>();
        services.AddSingleton<MaskedGroupStore>();
        services.AddSingleton<ServerKey>();
        services.AddSingleton<PackageStore>();
        services.AddSingleton<JobModels>();
        services.AddSingleton<RoundRecords>();
        services.AddSingleton(new TimelineRecorder(options.Time, options.Statistics));
        services.AddSingleton<RoundTimelines>();
        services.AddSingleton(provider => new FleetCensus(options.Time, provider.GetRequiredService<TimelineRecorder>(), options.Statistics));
        services.AddSingleton(new EventFeed(options.Time, options.Statistics));
        services.AddHostedService<FleetPulse>();
        services.AddSingleton<RoundRunnerFactory>();
        services.AddSingleton<RoundDirectory>();
        services.AddSingleton<MethodFailures>();
        services.AddSingleton<IServiceMethodProvider<UpdateGateway>, UpdateMethods>();
        services.AddSingleton<CallRefusals>();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = ProtocolLimits.MaxMessageBytes;
            grpc.Interceptors.Add<ErrorInterceptor>();
            if (!options.Identity.InsecureLoopback)
            {
                grpc.Interceptors.Add<CallerInterceptor>();
            }
        });
        services.AddGrainSerialization();
    }

    private static void AddIdentity(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options.Identity);
        services.AddSingleton<RegistryStore>();
        services.AddSingleton<DeviceRegistry>();
        services.AddSingleton<RefusedCalls>();
        if (options.Devices is { } devices)
        {
            services.AddSingleton(devices);
        }
        else
        {
            // One for each group: a directory of the registry is for one thread, and gives its keys back with the group.
            services.AddScoped<IEnrolledDevices>(provider => provider.GetRequiredService<DeviceRegistry>().OpenKeys());
        }

        if (!options.Identity.InsecureLoopback)
        {
            services.AddSingleton(_ => DeviceAuthority.Open(AuthorityFolder(options), options.Time.GetUtcNow()));
            services.AddSingleton<MemberCertificates>();
            services.AddSingleton<CallerCheck>();
            services.AddSingleton(provider => new ServerCertificate(
                provider.GetRequiredService<DeviceAuthority>(), ServerNames(options), provider.GetRequiredService<TimeProvider>()));
        }
    }

    private static string AuthorityFolder(ServerOptions options) => options.Identity.AuthorityFolder
        ?? (options.Storage.Kind == StorageKind.Files ? Path.Combine(options.Storage.Path, "authority") : "federated-authority");

    private static string[] ServerNames(ServerOptions options) => options.Address.Equals(IPAddress.Any) || options.Address.Equals(IPAddress.IPv6Any)
        ? [.. options.Identity.ServerNames, Dns.GetHostName()]
        : [.. options.Identity.ServerNames, options.Address.ToString()];

    private static void ConfigureSilo(ISiloBuilder silo)
    {
        silo.UseLocalhostClustering(siloPort: FreePort.Find(), gatewayPort: 0, serviceId: "federated", clusterId: "federated");
        silo.AddBlobGrainStorage(StorageNames.Grains);
        silo.AddStartupTask<JobRecovery>();
        silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = TimeSpan.FromSeconds(60));

        // The default reserves room for a million grains of other silos; there are none yet.
        silo.Configure<GrainDirectoryOptions>(directory => directory.CacheSize = 1 << 14);
        silo.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = TimeSpan.FromMinutes(15));
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreamsPerConnection;

        // What a stream may send before it is read: uploads wait for the staging budget here, so this times the cohort is memory.
        kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;

        // Streams that wait must not use up the window of the one that is being read.
        kestrel.Limits.Http2.InitialConnectionWindowSize = MaxStreamsPerConnection * StreamWindowBytes;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(60);
        kestrel.Listen(options.ApiAddress, options.ApiPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (options.ApiCertificate is not null)
            {
                UseTls(listen);
            }

            listen.Use(next => connection =>
            {
                connection.Features.Set(new HttpPortConnection());
                return next(connection);
            });
        });
        kestrel.Listen(options.Address, options.GrpcPort, listen => DeviceEndpoint.Configure(listen, options));
    }

    private static void UseTls(ListenOptions listen)
    {
        ApiCertificate certificate = listen.ApplicationServices.GetRequiredService<ApiCertificate>();
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate.Current,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            }),
        });
    }

    private static (Uri Api, Uri Grpc) BoundAddresses(WebApplication app, ServerOptions options)
    {
        // Kestrel lists its addresses in the order in which they were configured.
        int[] ports = [.. app.Urls.Select(url => BindingAddress.Parse(url).Port)];
        string scheme = options.Identity.InsecureLoopback ? "http" : "https";
        string people = options.ApiCertificate is null ? "http" : "https";
        return (new Uri($"{people}://{Host(options.ApiAddress)}:{ports[0]}/"), new Uri($"{scheme}://{Host(options.Address)}:{ports[1]}/"));
    }

    private static string Host(IPAddress address)
    {
        string host = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? "localhost" : address.ToString();
        return host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
    }
}
