using System.CommandLine;
using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Runs;

TableWidth.FitOutput();

try
{
    ParseResult parsed = SimulatorCommandLine.Build().Parse(args);

    // Ctrl-C cancels the token; the run then writes what it has, and can go on another time.
    InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
    int code = await StopSignals.RunAsync(stop => parsed.InvokeAsync(invocation, stop), TimeSpan.FromSeconds(60));
    return parsed.Errors.Count > 0 ? ExitCodes.BadInput : code;
}
catch (InvalidSettingsException e)
{
    foreach (SettingProblem problem in e.Problems)
    {
        Console.Error.WriteLine($"error: {problem}");
    }

    return ExitCodes.Of(e);
}
catch (OperationCanceledException e)
{
    if (e is RunStoppedEarlyException)
    {
        Console.Error.WriteLine(e.Message);
    }

    return ExitCodes.Of(e);
}
catch (Exception e)
{
    // What is made for people needs no name of its type.
    bool worded = e is ServerApiException or CommandException or RefusedOptionsException or RunBrokenException or IOException or InvalidDataException or UnauthorizedAccessException;
    Console.Error.WriteLine(worded ? $"error: {e.Message}" : $"error: {e.GetType().Name}: {e.Message}");
    return ExitCodes.Of(e);
}
