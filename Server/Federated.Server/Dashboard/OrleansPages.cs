using Federated.Server.Access;
using Federated.Server.Api;
using Orleans.Dashboard;

namespace Federated.Server.Dashboard;

/// <summary>
/// Orleans' own dashboard, for operators: grains, calls, silo. It comes out of its assembly and asks nobody but this server. It watches grain calls only while somebody looks, and
/// there is none where statistics are off. Registered where it is there.
/// </summary>
internal sealed class OrleansPages
{
    /// <summary>Where it is.</summary>
    public const string Path = "/orleans";

    /// <summary>
    /// What its pages may load: this server's own files, and the three style elements that its script makes, by their hashes. It writes styles into attributes of its elements too, which only
    /// can be allowed altogether. A further version of the package may make other style elements: the browser then says the hash, and the test of the page fails.
    /// </summary>
    public const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; style-src-elem 'self' "
        + "'sha256-zV11WD0e4jI/Dijo/iV798nsLwP2U80jZOm0yU1jQ4w=' 'sha256-QnZ4rRpm9RngV6CshHp341kSsPgcxJBB+8l1B6FsEFQ=' 'sha256-8R4w0Gv4jMFxDZrA7H04yrzefgIS2doY3iPdEFH72mQ='; "
        + "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

    // Shows what a grain holds in memory: for a job with privacy the key of its noise.
    private const string GrainState = Path + "/GrainState";

    /// <summary>Adds it to the silo.</summary>
    public static void Add(ISiloBuilder silo)
    {
        // A stream of the log would be open for an hour, and hold up a stop of the server for as long as it may.
        silo.AddDashboard(options => options.HideTrace = true);
        silo.Services.AddSingleton<OrleansPages>();
    }

    /// <summary>
    /// Maps its pages, for operators alone. They are made when somebody first asks for one: the package unpacks 17 MB of scripts and fonts and keeps them,
    /// compressed besides.
    /// </summary>
    public static void Map(WebApplication app)
    {
        Lazy<RequestDelegate> pages = new(() => Pages(app.Services));
        app.Map(Path + "/{**page}", context =>
        {
            context.Response.Headers.ContentSecurityPolicy = ContentPolicy;
            if (context.Request.Path.StartsWithSegments(GrainState))
            {
                return FederatedApi.Error(ErrorCode.NotAllowed, "What grains hold is not shown: it may be secret.").ExecuteAsync(context);
            }

            context.SetEndpoint(null);
            return pages.Value(context);
        })
            .RequireAuthorization(AccessPolicies.Operator)
            .ExcludeFromDescription();
    }

    // Routes of their own, which the server's do not know.
    private static RequestDelegate Pages(IServiceProvider services)
    {
        ApplicationBuilder pages = new(services);
        pages.UseRouting();
        pages.UseEndpoints(endpoints => endpoints.MapOrleansDashboard(Path).ExcludeFromDescription());
        return pages.Build();
    }
}
