using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Federated.Server.Access;

/// <summary>Takes everybody for an operator, on a port that only this machine reaches.</summary>
internal sealed class OpenAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private static readonly AuthenticateResult _everybody = AuthenticateResult.Success(new AuthenticationTicket(
        AccessIdentity.Of("this machine", AccessRole.Operator, AccessPolicies.OpenScheme), AccessPolicies.OpenScheme));

    /// <inheritdoc/>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(_everybody);
}
