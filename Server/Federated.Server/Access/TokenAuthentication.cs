using System.Text.Encodings.Web;
using Federated.Server.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Federated.Server.Access;

/// <summary>Knows a caller by <c>Authorization: Bearer TOKEN</c>.</summary>
internal sealed class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, AccessTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private const string Bearer = "Bearer ";

    /// <summary>Whether the request carries a token of this kind.</summary>
    public static bool IsMeant(HttpRequest request) =>
        request.Headers.Authorization.ToString().StartsWith(Bearer, StringComparison.OrdinalIgnoreCase);

    /// <summary>Answers that nobody is known.</summary>
    public static Task AnswerUnknownAsync(HttpContext context)
    {
        context.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        return FederatedApi.Error(ErrorCode.NotSignedIn, "The request carries no access token, or one that is unknown or over.").ExecuteAsync(context);
    }

    /// <summary>Answers that the caller may not do this.</summary>
    public static Task AnswerForbiddenAsync(HttpContext context) =>
        FederatedApi.Error(ErrorCode.NotAllowed, $"'{context.User.Identity?.Name}' may not do this: it needs the role operator.").ExecuteAsync(context);

    /// <inheritdoc/>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!IsMeant(Request))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        AccessToken? token = tokens.Find(Request.Headers.Authorization.ToString()[Bearer.Length..].Trim());
        return Task.FromResult(token is null
            ? AuthenticateResult.Fail("unknown token")
            : AuthenticateResult.Success(new AuthenticationTicket(AccessIdentity.Of(token, Scheme.Name), Scheme.Name)));
    }

    /// <inheritdoc/>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => AnswerUnknownAsync(Context);

    /// <inheritdoc/>
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => AnswerForbiddenAsync(Context);
}
