namespace Federated.Server.Access;

/// <summary>What a caller may do.</summary>
public enum AccessRole
{
    /// <summary>See everything, change nothing.</summary>
    Viewer,

    /// <summary>See and change everything.</summary>
    Operator,
}

/// <summary>Names of the authorization policies and of what stands behind them.</summary>
internal static class AccessPolicies
{
    /// <summary>Policy: may look. Operators are viewers too.</summary>
    public const string Viewer = "viewer";

    /// <summary>Policy: may change.</summary>
    public const string Operator = "operator";

    /// <summary>Default scheme: picks one of the others.</summary>
    public const string Scheme = "federated";

    /// <summary>Scheme of a port that is open to its machine.</summary>
    public const string OpenScheme = "open";

    /// <summary>Scheme of bearer tokens.</summary>
    public const string TokenScheme = "token";

    /// <summary>Scheme of logins in a browser.</summary>
    public const string CookieScheme = "cookie";

    /// <summary>Scheme of the identity provider.</summary>
    public const string OpenIdConnectScheme = "oidc";

    /// <summary>Claim with the hash of the token that a login rests on.</summary>
    public const string TokenClaim = "federated-token";

    /// <summary>Claim with the Unix time, in seconds, at which a login at the identity provider is over.</summary>
    public const string EndClaim = "federated-end";

    /// <summary>The role's name in claims.</summary>
    public static string NameOf(AccessRole role) => role == AccessRole.Operator ? Operator : Viewer;
}
