using Federated.Server.Access;

namespace Federated.Server.Dashboard;

/// <summary>Registers the dashboard and maps its pages. They are components that run in this process; a browser gets what changes over one socket.</summary>
internal static class DashboardSetup
{
    /// <summary>
    /// What a page may load: this server's own files, and nothing written into the page itself, neither scripts nor styles. Bars are drawn in SVG, whose sizes are attributes
    /// and no styles.
    /// </summary>
    public const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    private const int MaxDisconnectedCircuits = 32;

    /// <summary>Adds what the pages need.</summary>
    public static void AddDashboard(this IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents(circuit =>
        {
            circuit.DisconnectedCircuitMaxRetained = MaxDisconnectedCircuits;
            circuit.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(2);
        });
        services.AddCascadingAuthenticationState();
        services.AddSingleton<EmbeddedAssets>();
        services.AddSingleton<DashboardReader>();
        services.AddScoped<DashboardCommands>();
    }

    /// <summary>Adds the pages for whoever may look, and their files for everybody: they say nothing of this server.</summary>
    public static void MapDashboard(this WebApplication app)
    {
        app.MapGet(EmbeddedAssets.Path + "/{**name}", (string name, HttpContext context, EmbeddedAssets assets) => assets.Answer(name, context)).ExcludeFromDescription();
        app.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode(mode => mode.ContentSecurityFrameAncestorsPolicy = null)
            .RequireAuthorization(AccessPolicies.Viewer);
    }
}
