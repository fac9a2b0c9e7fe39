namespace Federated.Server.Telemetry;

/// <summary>What the server tells monitoring systems.</summary>
public sealed class TelemetryOptions
{
    /// <summary>
    /// Where metrics and traces are sent as OTLP; null: what the variable
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says, or nowhere. Traces are made only when they are sent.
    /// </summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>Whether OTLP goes over HTTP and not gRPC; null: over HTTP when the port is 4318 or <c>OTEL_EXPORTER_OTLP_PROTOCOL</c> says <c>http/protobuf</c>.</summary>
    public bool? OtlpOverHttp { get; set; }

    /// <summary>Time between two pushes of metrics; they are pulled from <c>/metrics</c> at any time.</summary>
    public TimeSpan PushInterval { get; set; } = TimeSpan.FromSeconds(30);
}
