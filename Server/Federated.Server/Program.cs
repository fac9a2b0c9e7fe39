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
    InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = ServerCommandLine.StopsWithin(parsed) };
    int code = await parsed.InvokeAsync(invocation);
    return parsed.Errors.Count > 0 ? 2 : code;
}
catch (Exception e) when (e is CommandException or RefusedOptionsException or InvalidSettingsException or ServerApiException { IsServersFailure: false } or OptionsValidationException)
{
    Console.Error.WriteLine($"error: {ErrorText.Of(e)}");
    return 2;
}
catch (OperationCanceledException)
{
    return 130;
}
catch (Exception e)
{
    Console.Error.WriteLine($"error: {ErrorText.Of(e)}");
    return 1;
}
