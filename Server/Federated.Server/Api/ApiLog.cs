namespace Federated.Server.Api;

/// <summary>Log lines of the API.</summary>
internal static partial class ApiLog
{
    /// <summary>A request failed for a reason that is not the caller's.</summary>
    [LoggerMessage(30, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void Failed(ILogger logger, string method, string path, Exception exception);
}
