using Federated.Server.Jobs;

namespace Federated.Server.Access;

/// <summary>Who may use the HTTP port, and how people show who they are.</summary>
public sealed class AccessOptions
{
    /// <summary>Shortest token that may be given: what the server makes itself has 32 random bytes.</summary>
    public const int MinTokenLength = 24;

    /// <summary>
    /// Whether callers must show who they are. Null: when the port reaches beyond loopback or has a public address, or when a token or OpenID Connect is set here. When not demanded, whoever is
    /// on this machine is an operator.
    /// </summary>
    public bool? Demanded { get; set; }

    /// <summary>A token for operators beside those in the store; at least <see cref="MinTokenLength"/> characters. Only its hash is kept.</summary>
    public string? OperatorToken { get; set; }

    /// <summary>A token for viewers beside those in the store; at least <see cref="MinTokenLength"/> characters. Only its hash is kept.</summary>
    public string? ViewerToken { get; set; }

    /// <summary>Login by an identity provider; null for none.</summary>
    public OpenIdConnectAccess? OpenIdConnect { get; set; }

    /// <summary>Folder of the keys that logins in browsers are protected with; null: <c>access-keys</c> in the folder of the store, or in memory when the store is no folder.</summary>
    public string? KeyFolder { get; set; }
}

/// <summary>An identity provider that speaks OpenID Connect, code flow with PKCE.</summary>
public sealed record OpenIdConnectAccess : ISettings
{
    /// <summary>Its address, from which its configuration is read.</summary>
    public required Uri Authority { get; init; }

    /// <summary>Name of this server at the provider.</summary>
    public required string ClientId { get; init; }

    /// <summary>Its secret; null for a public client.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>Claim of the identity token that holds a person's roles or groups.</summary>
    public string RoleClaim { get; init; } = "roles";

    /// <summary>Value of the claim that makes an operator.</summary>
    public string OperatorValue { get; init; } = "federated-operator";

    /// <summary>Value of the claim that makes a viewer. Who has neither may log in and see nothing.</summary>
    public string ViewerValue { get; init; } = "federated-viewer";

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (!Authority.IsAbsoluteUri || !(Authority.Scheme == Uri.UriSchemeHttps || (Authority.Scheme == Uri.UriSchemeHttp && Authority.IsLoopback)))
        {
            yield return new SettingProblem(SettingProblem.At(path, "authority"), $"\"{Authority.OriginalString}\"", "an address like https://HOST/; http on loopback alone");
        }
    }
}
