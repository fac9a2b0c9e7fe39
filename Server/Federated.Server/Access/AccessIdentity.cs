using System.Security.Claims;

namespace Federated.Server.Access;

/// <summary>Builds what the authorization policies look at.</summary>
internal static class AccessIdentity
{
    /// <summary>The holder of a token.</summary>
    public static ClaimsPrincipal Of(AccessToken token, string scheme) =>
        Of(token.Name, token.Role, scheme, new Claim(AccessPolicies.TokenClaim, token.Hash));

    /// <summary>Somebody with a role.</summary>
    public static ClaimsPrincipal Of(string name, AccessRole role, string scheme, params Claim[] further) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, AccessPolicies.NameOf(role)), .. further], scheme));

    /// <summary>Whether a login still stands: its token is there, and allows what it did.</summary>
    public static bool Stands(ClaimsPrincipal? principal, AccessTokens tokens) =>
        principal?.FindFirst(AccessPolicies.TokenClaim) is not { } claim
        || (tokens.FindHash(claim.Value) is { } token && principal.IsInRole(AccessPolicies.NameOf(token.Role)));
}
