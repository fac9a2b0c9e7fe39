using System.CommandLine;
using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Jobs;
using Federated.Simulator.CommandLine;

TableWidth.FitOutput();

try
{
    ParseResult parsed = SimulatorCommandLine.Build().Parse(args);

    // Ctrl-C cancels the token; the run then writes what it has, and can go on another time.
    InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(60) };
    int code = await parsed.InvokeAsync(invocation);
    return parsed.Errors.Count > 0 ? ExitCodes.BadInput : code;
}
catch (InvalidSettingsException e)
{
    foreach (SettingProblem problem in e.Problems)
    {
        Console.Error.WriteLine($"error: {problem}");
    }

    return ExitCodes.BadInput;
}
catch (ServerApiException e)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return e.Error is null ? ExitCodes.Failed : ExitCodes.BadInput;
}
catch (OperationCanceledException)
{
    return ExitCodes.Interrupted;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return ExitCodes.BadInput;
}
catch (Exception e)
{
    Console.Error.WriteLine($"error: {e.GetType().Name}: {e.Message}");
    return ExitCodes.Failed;
}
