using Federated.Server.SecureAggregation;

namespace Federated.Server.Grains;

/// <summary>What a group's grain logs.</summary>
internal static partial class GroupLog
{
    [LoggerMessage(6, LogLevel.Information, "Group {Group} goes on from {Step} with {Count} masked inputs")]
    public static partial void Restored(ILogger logger, string group, int count, ServerStep step);

    [LoggerMessage(7, LogLevel.Warning, "Group {Group} is abandoned: {Reason}")]
    public static partial void Abandoned(ILogger logger, string group, string reason);

    [LoggerMessage(3, LogLevel.Error, "Group {Group} could not go on")]
    public static partial void Failed(ILogger logger, string group, Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "Group {Group} refuses a masked input of {Device}: {Reason}")]
    public static partial void Refused(ILogger logger, string group, string device, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Group {Group} has its sum without some of the shares it was given. {Reason}")]
    public static partial void WrongShares(ILogger logger, string group, string reason);
}
