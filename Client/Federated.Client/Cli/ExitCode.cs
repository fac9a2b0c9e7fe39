namespace Federated.Client.Cli;

/// <summary>What the process tells its caller.</summary>
internal static class ExitCode
{
    /// <summary>The agent ended as it was told to.</summary>
    public const int Success = 0;

    /// <summary>The server refuses the device, or something is broken.</summary>
    public const int Failure = 1;

    /// <summary>The command line or the data it names is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM.</summary>
    public const int Interrupted = 130;
}
