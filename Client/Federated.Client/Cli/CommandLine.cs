using System.CommandLine;

namespace Federated.Client.Cli;

/// <summary>The client's command line.</summary>
internal static class CommandLine
{
    // An interrupted round is reported within half a second; what takes longer is cut off.
    private static readonly TimeSpan _stopWithin = TimeSpan.FromSeconds(1);

    /// <summary>Runs the process.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        RootCommand root = new("The Federated client: trains on data that stays on this device.") { new RunCommand() };
        ParseResult parse = root.Parse(arguments);
        InvocationConfiguration invocation = new()
        {
            Output = output,
            Error = error,
            ProcessTerminationTimeout = _stopWithin,
            EnableDefaultExceptionHandler = false,
        };
        int code = await parse.InvokeAsync(invocation, cancellationToken).ConfigureAwait(false);
        return parse.Errors.Count > 0 ? ExitCode.Usage : code;
    }
}
