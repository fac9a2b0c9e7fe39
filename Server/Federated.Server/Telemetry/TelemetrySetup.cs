using Federated.Server.Access;
using Federated.Server.Collection;
using Federated.Server.Hosting;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Federated.Server.Telemetry;

/// <summary>Registers metrics, traces and health.</summary>
internal static class TelemetrySetup
{
    /// <summary>Where metrics are pulled.</summary>
    public const string MetricsPath = "/metrics";

    // Says whether the process lives, and whether it can do its work.
    private const string LivePath = "/healthz";
    private const string ReadyPath = "/readyz";

    private const int HttpPort = 4318;

    // A round of ten thousand devices ends at once, with some spans a device.
    private const int MaxQueuedSpans = 1 << 17;
    private const int SpanBatch = 4096;

    // Their names end like parts of a histogram, which Prometheus' own linter forbids; nobody misses them.
    private static readonly string[] _leftOut = ["dotnet.assembly.count", "dotnet.process.cpu.count", "dotnet.timer.count"];

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private static int _servers;

    /// <summary>Adds what measures and what sends.</summary>
    public static void AddTelemetry(this IServiceCollection services, ServerOptions options)
    {
        // Meters are known by name in the whole process: a second server in it, as in tests, must not count into the first one's figures.
        int server = Interlocked.Increment(ref _servers);
        string meter = server == 1 ? ServerMetrics.MeterName : $"{ServerMetrics.MeterName}.{server}";
        services.AddSingleton(provider => new ServerMetrics(provider.GetRequiredService<FleetCensus>(), meter));
        services.AddSingleton<RoundTrace>();
        services.AddSingleton(provider => new RoundTelemetry(
            provider.GetRequiredService<ServerMetrics>(), provider.GetRequiredService<RoundTrace>(), options.Statistics));
        services.AddSingleton<StoreProbe>();
        services.AddHealthChecks().AddCheck<StoreCheck>("store", timeout: _patience);
        Uri? otlp = options.Telemetry.OtlpEndpoint ?? Variable();
        string version = typeof(TelemetrySetup).Assembly.GetName().Version!.ToString(3);
        OpenTelemetry.OpenTelemetryBuilder builder = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("federated-server", serviceVersion: version))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(meter, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel").AddPrometheusExporter(prometheus => prometheus.ScopeInfoEnabled = false);
                foreach (string name in _leftOut)
                {
                    metrics.AddView(name, MetricStreamConfiguration.Drop);
                }

                if (otlp is not null)
                {
                    metrics.AddOtlpExporter((exporter, reader) =>
                    {
                        Configure(exporter, otlp, options.Telemetry.OtlpOverHttp, "v1/metrics");
                        reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.Telemetry.PushInterval.TotalMilliseconds;
                    });
                }
            });
        if (otlp is not null)
        {
            _ = builder.WithTracing(traces => traces.AddSource(RoundTrace.SourceName).SetSampler<AlwaysOnSampler>().AddOtlpExporter(exporter =>
            {
                Configure(exporter, otlp, options.Telemetry.OtlpOverHttp, "v1/traces");
                exporter.BatchExportProcessorOptions.MaxQueueSize = MaxQueuedSpans;
                exporter.BatchExportProcessorOptions.MaxExportBatchSize = SpanBatch;
            }));
        }
    }

    /// <summary>Adds the routes: metrics for whoever may look, health for everybody, who learns a word and what is not well.</summary>
    public static void MapTelemetry(this WebApplication app)
    {
        app.MapPrometheusScrapingEndpoint(MetricsPath).RequireAuthorization(AccessPolicies.Viewer);
        app.MapGet(LivePath, () => "ok").ExcludeFromDescription();
        app.MapHealthChecks(ReadyPath, new HealthCheckOptions { AllowCachingResponses = false, ResponseWriter = WriteAsync });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "text/plain";
        string? reason = report.Entries.Values.Select(entry => entry.Description).FirstOrDefault(text => !string.IsNullOrEmpty(text));
        return context.Response.WriteAsync(reason is null ? report.Status.ToString() : $"{report.Status}: {reason}");
    }

    private static Uri? Variable() =>
        Uri.TryCreate(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"), UriKind.Absolute, out Uri? address) ? address : null;

    private static void Configure(OtlpExporterOptions exporter, Uri address, bool? overHttp, string path)
    {
        bool http = overHttp
            ?? (address.Port == HttpPort || string.Equals(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf", StringComparison.Ordinal));
        exporter.Protocol = http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;

        // Given in code, the address of HTTP is taken as it is, without the path that the specification adds.
        exporter.Endpoint = http ? new Uri($"{address.ToString().TrimEnd('/')}/{path}") : address;
    }
}
