using System.Security.Claims;
using Federated.Server.Api;
using Federated.Shared.Protocol;

namespace Federated.Server.Access;

/// <summary>What an access token is asked for.</summary>
/// <param name="Name">Whose it is, for people: an identifier.</param>
/// <param name="Role">What it allows.</param>
/// <param name="LifetimeSeconds">How long it holds, 60 to 315,360,000 (ten years); null for ever.</param>
public sealed record AccessTokenRequest(string Name, AccessRole Role, double? LifetimeSeconds = null);

/// <summary>A new access token: the only time that its text is shown.</summary>
/// <param name="Text">What a caller sends after <c>Authorization: Bearer</c>.</param>
/// <param name="Token">What is kept.</param>
public sealed record NewAccessToken(string Text, AccessToken Token);

/// <summary>Who calls.</summary>
/// <param name="Name">The name.</param>
/// <param name="Role">The role.</param>
/// <param name="Demanded">Whether this server demands access; if not, everybody on its machine is an operator.</param>
public sealed record Caller(string Name, AccessRole Role, bool Demanded);

/// <summary>Maps the routes of access.</summary>
internal static class AccessRoutes
{
    private const double MaxLifetimeSeconds = 315_360_000;

    /// <summary>Adds the routes to the API.</summary>
    public static void MapAccessRoutes(this RouteGroupBuilder api)
    {
        const string access = "access";
        api.MapGet("/access/me", (ClaimsPrincipal user, AccessGate gate) => FederatedApi.Json(new Caller(
            user.Identity?.Name ?? "", user.IsInRole(AccessPolicies.Operator) ? AccessRole.Operator : AccessRole.Viewer, !gate.IsOpen)))
            .Says<Caller>("Who calls", access);
        api.MapGet("/access/tokens", (AccessTokens tokens) => FederatedApi.Json(tokens.All)).RequireAuthorization(AccessPolicies.Operator)
            .Says<List<AccessToken>>("The access tokens", access);
        api.MapPost("/access/tokens", CreateAsync).Says<NewAccessToken>("Make an access token", access);
        api.MapDelete("/access/tokens/{hash}", async (string hash, AccessTokens tokens, CancellationToken ct) =>
            FederatedApi.Json(await tokens.RevokeAsync(hash, ct))).Says<AccessToken>("End an access token", access);
    }

    private static async Task<IResult> CreateAsync(AccessTokenRequest request, AccessTokens tokens, CancellationToken ct)
    {
        Grpc.Demand.Identifier(request.Name ?? "", "name");
        if (!Enum.IsDefined(request.Role))
        {
            throw new ProtocolViolationException(ErrorCode.InvalidSetting, "role is none of viewer and operator.");
        }

        if (request.LifetimeSeconds is { } seconds && !(seconds is >= 60 and <= MaxLifetimeSeconds))
        {
            throw new ProtocolViolationException(
                ErrorCode.InvalidSetting, $"lifetimeSeconds is {seconds}; allowed are 60 to {MaxLifetimeSeconds}, or none for a token that does not end.");
        }

        TimeSpan? lifetime = request.LifetimeSeconds is { } asked ? TimeSpan.FromSeconds(asked) : null;
        (string text, AccessToken token) = await tokens.CreateAsync(request.Name!, request.Role, lifetime, ct);
        return FederatedApi.Json(new NewAccessToken(text, token));
    }
}
