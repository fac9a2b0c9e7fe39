using Federated.Server.Rounds;
using Federated.Server.Storage;

namespace Federated.Server.Grains;

/// <summary>What a job says.</summary>
internal static partial class JobLog
{
    [LoggerMessage(10, LogLevel.Information, "Job {Job} submitted for population {Population}: model {Model} with {Parameters} trainable parameters")]
    public static partial void Submitted(ILogger logger, string job, string population, string model, int parameters);

    [LoggerMessage(11, LogLevel.Information, "Job {Job} round {Round} {Outcome}: {Accepted} updates, accuracy {Accuracy:P2} {Reason}")]
    public static partial void RoundEnded(ILogger logger, string job, long round, RoundOutcome outcome, int accepted, double accuracy, string reason);

    [LoggerMessage(12, LogLevel.Error, "Job {Job} round {Round} broke off; it goes on from the last committed state, and the same reason is not said again")]
    public static partial void RoundFailed(ILogger logger, string job, long round, Exception exception);

    /// <summary>The same as the job tells it to whoever asks for it.</summary>
    public static string BrokeOff(long round, Exception exception) => $"round {round} broke off and is tried again: {StoreFailure.ReasonOf(exception)}";
}
