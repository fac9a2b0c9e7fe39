using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Simulator.Reports;

namespace Federated.Simulator.CommandLine;

/// <summary>What the process answers its caller.</summary>
internal static class ExitCodes
{
    /// <summary>The target was reached, or all rounds were done or the privacy budget was spent and there is none.</summary>
    public const int Success = 0;

    /// <summary>The run failed or broke off.</summary>
    public const int Failed = 1;

    /// <summary>What was asked for is not possible.</summary>
    public const int BadInput = 2;

    /// <summary>All rounds were done, or the privacy budget was spent, and the target was not reached.</summary>
    public const int TargetMissed = 3;

    /// <summary>Ctrl-C: 128 + SIGINT, as shells have it.</summary>
    public const int Interrupted = StopSignals.InterruptedCode;

    /// <summary>The code of a run.</summary>
    public static int Of(RunOutcome outcome) => outcome switch
    {
        RunOutcome.TargetReached or RunOutcome.Completed => Success,
        RunOutcome.TargetMissed => TargetMissed,
        RunOutcome.Interrupted => Interrupted,
        RunOutcome.Failed => Failed,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Unknown outcome."),
    };

    /// <summary>The code of a command that an exception ended. What a person can put right in the command, its files or its folders is bad input.</summary>
    public static int Of(Exception exception) => exception switch
    {
        OperationCanceledException => Interrupted,
        ServerApiException { IsTransient: true } => Failed,
        InvalidSettingsException or CommandException or RefusedOptionsException or ServerApiException or IOException or InvalidDataException or UnauthorizedAccessException => BadInput,
        _ => Failed,
    };
}
