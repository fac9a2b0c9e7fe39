using System.CommandLine;
using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Microsoft.Extensions.Options;

TableWidth.FitOutput();

try
{
    ParseResult parsed = ServerCommandLine.Build().Parse(args);

    // Signals are taken by StopSignals alone.
    InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
    int code = await StopSignals.RunAsync(stop => parsed.InvokeAsync(invocation, stop), ServerCommandLine.StopsWithin(parsed));
    return parsed.Errors.Count > 0 ? 2 : code;
}
catch (Exception e) when (e is CommandException or RefusedOptionsException or InvalidSettingsException or ServerApiException { IsServersFailure: false } or OptionsValidationException)
{
    Console.Error.WriteLine($"error: {ErrorText.Of(e)}");
    return 2;
}
catch (OperationCanceledException)
{
    return StopSignals.InterruptedCode;
}
catch (Exception e)
{
    Console.Error.WriteLine($"error: {ErrorText.Of(e)}");
    return 1;
}
