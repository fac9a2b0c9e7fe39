using System.CommandLine;
using Federated.Server.Access;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Jobs;

namespace Federated.Server.Cli;

/// <summary>The options of <c>serve</c> and of every calling verb that say who may do what.</summary>
internal static class AccessArguments
{
    private const string TokenVariable = "FEDERATED_TOKEN";
    private const string OperatorTokenVariable = "FEDERATED_OPERATOR_TOKEN";
    private const string ViewerTokenVariable = "FEDERATED_VIEWER_TOKEN";

    /// <summary>The caller's token; <c>serve</c>, which calls nobody, refuses it.</summary>
    public static Option<FileInfo?> TokenFile { get; } = new("--token-file")
    {
        Description = $"File with the access token of who calls a server; without it the variable {TokenVariable} is looked at. 'serve' takes --operator-token-file instead.",
        Recursive = true,
    };

    /// <summary>A token for operators.</summary>
    public static Option<FileInfo?> OperatorTokenFile { get; } = new("--operator-token-file") { Description = "File with an access token for operators; access is demanded then." };

    /// <summary>A token for viewers.</summary>
    public static Option<FileInfo?> ViewerTokenFile { get; } = new("--viewer-token-file") { Description = "File with an access token for viewers; access is demanded then." };

    /// <summary>Demands access on loopback too.</summary>
    public static Option<bool> RequireAccess { get; } = new("--require-access") { Description = "Demand access on loopback too, as off loopback." };

    /// <summary>The identity provider.</summary>
    public static Option<FileInfo?> OpenIdConnect { get; } = new("--oidc")
    {
        Description = "JSON file of an OpenID Connect provider: authority, clientId, clientSecret, roleClaim, operatorValue, viewerValue.",
    };

    /// <summary>The certificate of the HTTP port.</summary>
    public static Option<FileInfo?> ApiCertificate { get; } = new("--api-certificate") { Description = "PEM file with the certificate of the HTTP port, and those between it and a root; it speaks HTTPS then. Needs --api-key." };

    /// <summary>The key of that certificate.</summary>
    public static Option<FileInfo?> ApiKey { get; } = new("--api-key") { Description = "PEM file with the key of --api-certificate, without a password." };

    /// <summary>The address of a proxy in front of the HTTP port.</summary>
    public static Option<Uri?> ApiPublicUrl { get; } = new("--api-public-url")
    {
        Description = "https address of the proxy that ends TLS in front of the HTTP port, as people type it; access is demanded then.",
        CustomParser = ServerCommandLine.ParseAddress,
    };

    /// <summary>The certificate that <c>serve</c> was told; null for none.</summary>
    public static ApiCertificateFiles? CertificateOf(ParseResult parsed) => (parsed.GetValue(ApiCertificate), parsed.GetValue(ApiKey)) switch
    {
        (null, null) => null,
        ({ } certificate, { } key) => new ApiCertificateFiles(certificate.FullName, key.FullName),
        _ => throw new CommandException("--api-certificate and --api-key belong together, and only one of them was given. Give the PEM files of both, or neither."),
    };

    /// <summary>What <c>serve</c> was told.</summary>
    /// <exception cref="CommandException">A file cannot be read, or the token of a caller was given.</exception>
    public static AccessOptions OptionsOf(ParseResult parsed) => parsed.GetValue(TokenFile) is not null
        ? throw new CommandException($"--token-file is for who calls a server, and 'serve' calls none. Give the token of its operators with {OperatorTokenFile.Name}.")
        : new()
        {
            Demanded = parsed.GetValue(RequireAccess) ? true : null,
            OperatorToken = TokenOf(parsed, OperatorTokenFile) ?? Variable(OperatorTokenVariable),
            ViewerToken = TokenOf(parsed, ViewerTokenFile) ?? Variable(ViewerTokenVariable),
            OpenIdConnect = Provider(parsed.GetValue(OpenIdConnect)),
        };

    /// <summary>Speaks to a server as whoever runs a verb of this command line.</summary>
    public static ServerApiClient ClientOf(ParseResult parsed, Uri server) => new(server, token: TokenOf(parsed, TokenFile) ?? Token());

    /// <summary>The token of whoever runs a program, as the environment has it; null for none.</summary>
    public static string? Token() => Variable(TokenVariable);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } token ? Demand(token.Trim(), $"The variable {name}") : null;

    // What was given in the place of a path may be the token itself, and is not repeated.
    private static string? TokenOf(ParseResult parsed, Option<FileInfo?> option) => parsed.GetValue(option) switch
    {
        null => null,
        { Exists: false } => throw new CommandException($"{option.Name} names no file that is there. It takes the path of a file with the token, not the token itself."),
        { } file => Demand(Read(file), $"The file of {option.Name}"),
    };

    private static string Demand(string token, string source) => token.All(c => c is >= ' ' and <= '~')
        ? token
        : throw new CommandException($"{source} holds more than a token, which is one line of ASCII characters; it is not shown here.");

    private static OpenIdConnectAccess? Provider(FileInfo? file)
    {
        if (file is null)
        {
            return null;
        }

        try
        {
            return StrictJson.ReadSecret<OpenIdConnectAccess>(Read(file));
        }
        catch (InvalidSettingsException e)
        {
            throw new CommandException($"--oidc {file}: {e.Message}");
        }
    }

    private static string Read(FileInfo file)
    {
        try
        {
            return File.ReadAllText(file.FullName).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"'{file}' cannot be read: {e.Message}");
        }
    }
}
