using System.Security.Claims;
using Federated.Server.Hosting;
using Federated.Server.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;

namespace Federated.Server.Access;

/// <summary>Registers access and puts it in front of the endpoints of the HTTP port.</summary>
internal static class AccessSetup
{
    private static readonly TimeSpan _session = TimeSpan.FromHours(12);

    /// <summary>Adds schemes and policies.</summary>
    public static void AddAccess(this IServiceCollection services, ServerOptions options)
    {
        AccessGate gate = AccessGate.Of(options);
        services.AddSingleton(gate);
        services.AddSingleton<AccessTokens>();
        ProtectKeys(services.AddDataProtection().SetApplicationName("federated"), options);
        AuthenticationBuilder authentication = services.AddAuthentication(AccessPolicies.Scheme)
            .AddPolicyScheme(AccessPolicies.Scheme, null, scheme => scheme.ForwardDefaultSelector = context => gate.IsOpen
                ? AccessPolicies.OpenScheme
                : TokenAuthentication.IsMeant(context.Request) ? AccessPolicies.TokenScheme : AccessPolicies.CookieScheme)
            .AddScheme<AuthenticationSchemeOptions, OpenAuthentication>(AccessPolicies.OpenScheme, null)
            .AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(AccessPolicies.TokenScheme, null)
            .AddCookie(AccessPolicies.CookieScheme, Configure);
        if (options.Access.OpenIdConnect is { } provider)
        {
            authentication.AddOpenIdConnect(AccessPolicies.OpenIdConnectScheme, oidc => Configure(oidc, provider));
        }

        services.AddAuthorizationBuilder()
            .AddPolicy(AccessPolicies.Viewer, policy => policy.RequireRole(AccessPolicies.Viewer, AccessPolicies.Operator))
            .AddPolicy(AccessPolicies.Operator, policy => policy.RequireRole(AccessPolicies.Operator));
        services.AddAntiforgery();
    }

    /// <summary>Adds the middleware, behind routing and in front of the endpoints.</summary>
    public static void UseAccess(this WebApplication app, ServerOptions options)
    {
        if (options.ApiPublicAddress is { } address)
        {
            app.UseMiddleware<PublicAddress>(address);
        }

        app.UseMiddleware<PortGuard>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
    }

    /// <summary>Makes the folder of the cookies' keys, in a store that is open, and reads the tokens. Where access is demanded and nobody could have it, makes the first operator's token.</summary>
    /// <returns>The text of that token, to be shown once; null when none was made.</returns>
    public static async Task<string?> OpenAsync(IServiceProvider services, ServerOptions options, CancellationToken ct)
    {
        if (KeyFolder(options) is { } folder)
        {
            OwnerOnly.CreateFolder(folder);
        }

        AccessTokens tokens = services.GetRequiredService<AccessTokens>();
        AccessGate gate = services.GetRequiredService<AccessGate>();
        await tokens.LoadAsync(ct);
        foreach ((string? text, string name, AccessRole role) in new[]
        {
            (options.Access.OperatorToken, "given operator", AccessRole.Operator), (options.Access.ViewerToken, "given viewer", AccessRole.Viewer),
        })
        {
            if (text is not null)
            {
                tokens.Give(text, name, role);
            }
        }

        bool someone = gate.IsOpen || gate.HasProvider || tokens.All.Any(token => token.Role == AccessRole.Operator && tokens.FindHash(token.Hash) is not null);
        return someone ? null : (await tokens.CreateAsync("first operator", AccessRole.Operator, lifetime: null, ct)).Text;
    }

    private static void ProtectKeys(IDataProtectionBuilder protection, ServerOptions options)
    {
        if (KeyFolder(options) is { } folder)
        {
            protection.PersistKeysToFileSystem(new DirectoryInfo(folder));
        }
        else
        {
            protection.UseEphemeralDataProtectionProvider();
        }
    }

    /// <summary>Where the keys of cookies lie; null when they end with the process.</summary>
    private static string? KeyFolder(ServerOptions options) => AccessGate.Of(options).IsOpen
        ? null
        : options.Access.KeyFolder ?? (options.Storage.Kind == StorageKind.Files ? Path.Combine(options.Storage.Path, "access-keys") : null);

    private static void Configure(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = "federated-access";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = _session;
        cookie.SlidingExpiration = true;
        cookie.LoginPath = LoginRoutes.Login;
        cookie.ReturnUrlParameter = "returnUrl";
        cookie.Events.OnRedirectToLogin = context => IsForPrograms(context.Request)
            ? TokenAuthentication.AnswerUnknownAsync(context.HttpContext)
            : Redirect(context);
        cookie.Events.OnRedirectToAccessDenied = context => TokenAuthentication.AnswerForbiddenAsync(context.HttpContext);
        cookie.Events.OnValidatePrincipal = async context =>
        {
            // A token that was revoked ends the logins that rest on it. What a provider vouched for ends by the clock, although use renews the cookie.
            IServiceProvider services = context.HttpContext.RequestServices;
            if (!AccessIdentity.Stands(context.Principal, services.GetRequiredService<AccessTokens>(), services.GetRequiredService<TimeProvider>()))
            {
                context.RejectPrincipal();
                await context.HttpContext.SignOutAsync(AccessPolicies.CookieScheme);
            }
        };
    }

    private static bool IsForPrograms(HttpRequest request) => request.Path.StartsWithSegments("/api") || request.Path.StartsWithSegments("/metrics");

    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> context)
    {
        context.Response.Redirect(context.RedirectUri);
        return Task.CompletedTask;
    }

    private static void Configure(OpenIdConnectOptions oidc, OpenIdConnectAccess provider)
    {
        oidc.Authority = provider.Authority.ToString();
        oidc.RequireHttpsMetadata = !provider.Authority.IsLoopback;
        oidc.ClientId = provider.ClientId;
        oidc.ClientSecret = provider.ClientSecret;
        oidc.ResponseType = "code";

        // The answer comes back as a navigation and not as a form of another site, which this server refuses; so do its cookies, over HTTP on loopback too.
        oidc.ResponseMode = "query";
        foreach (CookieBuilder cookie in new[] { oidc.CorrelationCookie, oidc.NonceCookie })
        {
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        }

        oidc.UsePkce = true;
        oidc.SignInScheme = AccessPolicies.CookieScheme;
        oidc.CallbackPath = "/access/oidc/callback";
        oidc.MapInboundClaims = false;
        oidc.SaveTokens = false;
        oidc.Events.OnTokenValidated = context =>
        {
            string[] held = [.. context.Principal!.FindAll(provider.RoleClaim).Select(claim => claim.Value)];
            string name = context.Principal.FindFirstValue("preferred_username") ?? context.Principal.FindFirstValue("sub") ?? "unnamed";
            if (held.Contains(provider.OperatorValue) || held.Contains(provider.ViewerValue))
            {
                AccessRole role = held.Contains(provider.OperatorValue) ? AccessRole.Operator : AccessRole.Viewer;
                context.Principal = AccessIdentity.Of(name, role, context.HttpContext.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow() + _session);
            }
            else
            {
                context.Fail($"'{name}' has neither '{provider.OperatorValue}' nor '{provider.ViewerValue}' in the claim '{provider.RoleClaim}'.");
            }

            return Task.CompletedTask;
        };
        oidc.Events.OnRemoteFailure = context =>
        {
            context.HandleResponse();
            context.Response.Redirect($"{LoginRoutes.Login}?failed=provider");
            return Task.CompletedTask;
        };
    }
}
