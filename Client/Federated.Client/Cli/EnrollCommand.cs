using System.CommandLine;
using Federated.Client.Identity;
using Federated.Client.Transport;
using Federated.Shared.Identity;
using Federated.Shared.Protocol;

namespace Federated.Client.Cli;

/// <summary><c>enroll</c>: gives this device an identity of its own.</summary>
internal sealed class EnrollCommand : Command
{
    private readonly Option<string> _server = new("--server") { Description = "Address of the server, https://HOST:PORT.", HelpName = "URL", Required = true };
    private readonly Option<string?> _token = new("--token")
    {
        Description = "The token that 'devices tokens create' printed. Other users of the machine can see a command line: leave it out to be read from standard input.",
        HelpName = "T",
    };

    private readonly Option<string> _state = new("--state") { Description = "Folder that keeps the identity and everything else between runs.", HelpName = "DIR", Required = true };
    private readonly Option<string> _deviceId = new("--device-id") { Description = "A name to ask for, unless the token names the device.", HelpName = "ID", DefaultValueFactory = _ => "" };
    private readonly Option<string> _population = new("--population") { Description = "A population to ask for, unless the token names it.", HelpName = "NAME", DefaultValueFactory = _ => "" };

    /// <summary>Declares the command.</summary>
    public EnrollCommand()
        : base("enroll", "Draws a key on this device and gets a certificate for it. Exit codes: 0 done, 1 refused or unreachable, 2 wrong usage.")
    {
        Options.Add(_server);
        Options.Add(_token);
        Options.Add(_state);
        Options.Add(_deviceId);
        Options.Add(_population);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        TextWriter error = parse.InvocationConfiguration.Error;
        string folder = parse.GetRequiredValue(_state);
        try
        {
            Uri server = Uri.TryCreate(parse.GetRequiredValue(_server), UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttps
                ? uri
                : throw new FormatException($"The server address '{parse.GetRequiredValue(_server)}' is not one to enroll at. Write it as https://HOST:PORT.");
            string text = parse.GetValue(_token) ?? await Console.In.ReadLineAsync(cancellationToken).ConfigureAwait(false) ?? "";
            StoredIdentity identity = await EnrollmentCalls.EnrollAsync(
                server,
                EnrollmentToken.Parse(text),
                Identifier(parse.GetValue(_deviceId) ?? "", "--device-id"),
                Identifier(parse.GetValue(_population) ?? "", "--population"),
                folder,
                cancellationToken).ConfigureAwait(false);
            string population = identity.Population.Length > 0 ? $" of population '{identity.Population}'" : "";
            await parse.InvocationConfiguration.Output.WriteLineAsync(
                $"Enrolled as device '{identity.DeviceId}'{population}. The identity lies in '{Path.Combine(folder, StoredIdentity.FileName)}'.").ConfigureAwait(false);
            return ExitCode.Success;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped.").ConfigureAwait(false);
            return ExitCode.Interrupted;
        }
        catch (ServerLinkException e)
        {
            await error.WriteLineAsync($"error: {FailureText.Of(e)}").ConfigureAwait(false);
            return ExitCode.Failure;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"error: {e.Message}").ConfigureAwait(false);
            return ExitCode.Usage;
        }
    }

    private static string Identifier(string text, string option) => text.Length == 0 || ProtocolLimits.IsIdentifier(text)
        ? text
        : throw new FormatException($"{option} '{text}' is not an identifier: 1 to 128 characters of A-Z a-z 0-9 . _ - that do not begin with a dot.");
}
