using System.CommandLine;
using System.CommandLine.Invocation;
using Federated.Client.Session;

namespace Federated.Client.Cli;

/// <summary>The client's command line.</summary>
internal static class CommandLine
{
    // An interrupted round is reported within half a second, once the step of training under way is done, which takes seconds on a small board; what takes longer
    // is cut off, before a service manager does it.
    private static readonly TimeSpan _stopWithin = TimeSpan.FromSeconds(10);

    /// <summary>Runs the process.</summary>
    /// <param name="arguments">What was typed after the program's name.</param>
    /// <param name="output">Takes results.</param>
    /// <param name="error">Takes messages.</param>
    /// <param name="cancellationToken">Stops it, as a signal does.</param>
    /// <param name="session">How sessions behave where the arguments say nothing; as by default when null.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(
        string[] arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken, SessionOptions? session = null)
    {
        if (SystemLibraries.Missing() is { } missing)
        {
            await error.WriteLineAsync($"error: {missing}").ConfigureAwait(false);
            return ExitCode.Failure;
        }

        RootCommand root = new("The Federated client: trains on data that stays on this device.") { new RunCommand(session ?? new SessionOptions()), new EnrollCommand(), new PredictCommand() };
        VersionOption version = root.Options.OfType<VersionOption>().Single();
        version.Description = "Show version, engine and processor.";
        version.Action = new PrintVersion();
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

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(VersionText.Describe());
            return ExitCode.Success;
        }
    }
}
