using System.Text.Json.Serialization;
using Federated.Client.Session;

namespace Federated.Client.Cli;

/// <summary>One line of <c>--json</c>: what became of a session.</summary>
internal sealed record RoundLine(
    string Result,
    string? Job,
    long? Round,
    string Outcome,
    string Detail,
    int? Examples,
    int? Steps,
    double? MeanLoss,
    long BytesUp,
    long BytesDown,
    double RetryAfterSeconds)
{
    /// <summary>The line of a report.</summary>
    public static RoundLine Of(SessionReport report) => new(
        report.Result.ToString(),
        report.Plan?.JobId,
        report.Plan?.Round,
        report.Outcome.ToString(),
        report.Detail,
        report.Training?.Examples,
        report.Training?.Steps,
        report.Training is { } training && double.IsFinite(training.MeanLoss) ? training.MeanLoss : null,
        report.BytesUp,
        report.BytesDown,
        report.RetryAfter.TotalSeconds);
}

[JsonSerializable(typeof(RoundLine))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class RoundLineContext : JsonSerializerContext;
