using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;

namespace Federated.Server.Access;

/// <summary>Login and logout in a browser. One page without scripts, so that it works before anything else is allowed.</summary>
internal static class LoginRoutes
{
    /// <summary>The page that asks for a token.</summary>
    public const string Login = "/access/login";

    private const int MaxFormBytes = 16 << 10;

    /// <summary>Adds the routes; they are open to everybody.</summary>
    public static void MapLogin(this WebApplication app)
    {
        app.MapGet(Login, (HttpRequest request, AccessGate gate) => gate.IsOpen
            ? Results.LocalRedirect(Local(request.Query["returnUrl"]))
            : Page(Local(request.Query["returnUrl"]), request.Query["failed"].ToString(), gate.HasProvider)).ExcludeFromDescription();
        app.MapPost(Login, LogInAsync).ExcludeFromDescription();
        app.MapPost("/access/logout", async (HttpContext context) =>
        {
            await context.SignOutAsync(AccessPolicies.CookieScheme);
            return Results.LocalRedirect(Login);
        }).ExcludeFromDescription();
        app.MapGet("/access/oidc", (HttpRequest request, AccessGate gate) => gate.HasProvider
            ? Results.Challenge(new AuthenticationProperties { RedirectUri = Local(request.Query["returnUrl"]) }, [AccessPolicies.OpenIdConnectScheme])
            : Results.NotFound()).ExcludeFromDescription();
    }

    // The form is read by hand: what is checked instead of a hidden field is where the request comes from, see PortGuard.
    private static async Task<IResult> LogInAsync(HttpContext context, AccessTokens tokens, AccessGate gate)
    {
        if (!context.Request.HasFormContentType || context.Request.ContentLength is not <= MaxFormBytes)
        {
            return Results.BadRequest();
        }

        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return Results.BadRequest();
        }

        string returnUrl = Local(form["returnUrl"]);
        if (tokens.Find(form["token"].ToString().Trim()) is not { } token)
        {
            return Page(returnUrl, "token", gate.HasProvider);
        }

        await context.SignInAsync(AccessPolicies.CookieScheme, AccessIdentity.Of(token, AccessPolicies.CookieScheme));
        return Results.LocalRedirect(returnUrl);
    }

    // Nothing but a path on this server: neither //elsewhere nor /\elsewhere.
    private static string Local(string? url) =>
        url is ['/', ..] && !(url.Length > 1 && url[1] is '/' or '\\') && !url.Any(char.IsControl) ? url : "/";

    private static IResult Page(string returnUrl, string failed, bool provider)
    {
        string target = HtmlEncoder.Default.Encode(returnUrl);
        string note = failed switch
        {
            "token" => "<p class=\"wrong\" role=\"alert\">This token is unknown, or its time is over.</p>",
            "provider" => "<p class=\"wrong\" role=\"alert\">The identity provider did not let you in, or gave you no role here.</p>",
            _ => "",
        };
        string other = provider
            ? $"<p><a href=\"/access/oidc?returnUrl={UrlEncoder.Default.Encode(returnUrl)}\">Sign in with your organization</a></p>"
            : "";
        return Results.Content(
            $$"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="/assets/mark.svg"><title>Sign in · Federated</title>
            <style>
            :root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem}
            input,button{font:inherit;width:100%;padding:.5rem;box-sizing:border-box;margin:.25rem 0 .75rem}.wrong{color:light-dark(#b00020,#ff8a80)}
            </style></head><body><main><h1>Federated</h1>{{note}}
            <form method="post" action="{{Login}}"><label for="token">Access token</label>
            <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
            <input type="hidden" name="returnUrl" value="{{target}}"><button>Sign in</button></form>{{other}}
            <p>An operator makes tokens with <code>federated-server access create</code>.</p></main></body></html>
            """,
            "text/html; charset=utf-8",
            statusCode: failed == "token" ? StatusCodes.Status401Unauthorized : StatusCodes.Status200OK);
    }
}
