using Microsoft.Extensions.Logging;

namespace Federated.Client.Session;

/// <summary>What an agent logs.</summary>
internal static partial class AgentLog
{
    /// <summary>One line for what became of a session.</summary>
    public static void Write(ILogger log, SessionReport report)
    {
        string job = report.Plan?.JobId ?? "";
        long round = report.Plan?.Round ?? 0;
        switch (report.Result)
        {
            case SessionResult.Accepted:
                Contributed(
                    log,
                    job,
                    round,
                    report.Training?.Examples ?? 0,
                    report.Training?.Steps ?? 0,
                    report.Training?.MeanLoss ?? 0,
                    report.BytesUp,
                    report.BytesDown);
                break;
            case SessionResult.Refused:
                Refused(log, job, round, report.Outcome.ToString(), report.Detail);
                break;
            case SessionResult.Aborted:
                GaveUp(log, job, round, report.Detail);
                break;
            default:
                NotWanted(log, report.Detail, report.RetryAfter.TotalSeconds);
                break;
        }
    }

    [LoggerMessage(
        101,
        LogLevel.Information,
        "Round {Round} of job {Job}: contributed {Examples} examples, {Steps} steps, mean loss {MeanLoss:F4}, {BytesUp} bytes up, {BytesDown} down.")]
    private static partial void Contributed(
        ILogger log, string job, long round, int examples, int steps, double meanLoss, long bytesUp, long bytesDown);

    [LoggerMessage(102, LogLevel.Warning, "Round {Round} of job {Job}: the update was refused, {Outcome}. {Detail}")]
    private static partial void Refused(ILogger log, string job, long round, string outcome, string detail);

    [LoggerMessage(103, LogLevel.Warning, "Round {Round} of job {Job}: given up. {Detail}")]
    private static partial void GaveUp(ILogger log, string job, long round, string detail);

    [LoggerMessage(104, LogLevel.Information, "Not wanted now ({Reason}); back in {Seconds:F1} s.")]
    private static partial void NotWanted(ILogger log, string reason, double seconds);

    [LoggerMessage(106, LogLevel.Information, "The program was replaced; the newer one takes over when it is started.")]
    public static partial void Updated(ILogger log);

    [LoggerMessage(107, LogLevel.Information, "Health is answered at {Address}.")]
    public static partial void Listening(ILogger log, Uri address);

    [LoggerMessage(105, LogLevel.Warning, "The server cannot be reached; next try in {Seconds:F1} s. {Detail}")]
    public static partial void ServerAway(ILogger log, double seconds, string detail);
}
