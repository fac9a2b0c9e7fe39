using System.Globalization;
using System.Security.Claims;

namespace Federated.Server.Access;

/// <summary>Builds what the authorization policies look at.</summary>
internal static class AccessIdentity
{
    /// <summary>The holder of a token.</summary>
    public static ClaimsPrincipal Of(AccessToken token, string scheme) =>
        Of(token.Name, token.Role, scheme, new Claim(AccessPolicies.TokenClaim, token.Hash));

    /// <summary>Somebody whom the identity provider vouched for.</summary>
    /// <param name="name">The name at the provider.</param>
    /// <param name="role">The role that its token gave.</param>
    /// <param name="end">When the login is over, however much it is used: the provider is not asked again in between.</param>
    public static ClaimsPrincipal Of(string name, AccessRole role, DateTimeOffset end) => Of(
        name, role, AccessPolicies.OpenIdConnectScheme, new Claim(AccessPolicies.EndClaim, end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)));

    /// <summary>Somebody with a role.</summary>
    public static ClaimsPrincipal Of(string name, AccessRole role, string scheme, params Claim[] further) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, AccessPolicies.NameOf(role)), .. further], scheme));

    /// <summary>
    /// Whether a login still stands: its token is there and allows what it did; or its end has not come; or the port is open to its machine, where nobody logs in.
    /// </summary>
    public static bool Stands(ClaimsPrincipal? principal, AccessTokens tokens, TimeProvider time)
    {
        if (principal?.FindFirst(AccessPolicies.TokenClaim) is { } hash)
        {
            return tokens.FindHash(hash.Value) is { } token && principal.IsInRole(AccessPolicies.NameOf(token.Role));
        }

        return principal?.FindFirst(AccessPolicies.EndClaim) is { } end
            ? time.GetUtcNow().ToUnixTimeSeconds() < long.Parse(end.Value, CultureInfo.InvariantCulture)
            : principal?.Identity?.AuthenticationType == AccessPolicies.OpenScheme;
    }
}
