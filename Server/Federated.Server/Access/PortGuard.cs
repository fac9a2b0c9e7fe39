using System.Net;
using Federated.Server.Api;
using Grpc.AspNetCore.Server;
using Microsoft.Net.Http.Headers;

namespace Federated.Server.Access;

/// <summary>
/// Keeps the two ports apart and other web sites out. A browser sends requests to this server for any page that asks it to; what changes something, and what opens a
/// socket, must come from this server's own pages. An open port answers to the names of its machine alone, so that no foreign name can be made to point at it.
/// </summary>
internal sealed class PortGuard(RequestDelegate next, AccessGate gate)
{
    // The login page and the API's reference bring styles inside; the dashboard has a stricter policy of its own. Everything else comes from this server.
    private const string ContentPolicy =
        "default-src 'self'; img-src 'self' data:; font-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>The policy of every page with one more directive.</summary>
    public static string PolicyWith(string directive) => $"{ContentPolicy}; {directive}";

    /// <summary>Lets the request pass or answers it.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        bool grpc = context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is not null;
        if (context.Features.Get<HttpPortConnection>() is null)
        {
            if (grpc || context.GetEndpoint() is null)
            {
                return next(context);
            }

            // What is for people is not there for devices.
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        if (gate.IsOpen && !IsOwnName(context.Request.Host.Host))
        {
            return Refuse(context, $"This server is open to its own machine and answers to localhost alone, not to '{context.Request.Host.Host}'. Demand access to use another name.");
        }

        if (IsForeign(context.Request))
        {
            return Refuse(context, "The request comes from a page of another site.");
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        return next(context);
    }

    private static bool IsOwnName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static bool IsForeign(HttpRequest request)
    {
        bool reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
        if (reads && !request.Headers.ContainsKey(HeaderNames.Upgrade))
        {
            return false;
        }

        string site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0)
        {
            return site is not ("same-origin" or "none");
        }

        // Programs that are no browsers send neither.
        string origin = request.Headers.Origin.ToString();
        return origin.Length > 0
            && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? address) && HostString.FromUriComponent(address) == WithPort(request));
    }

    private static HostString WithPort(HttpRequest request) =>
        HostString.FromUriComponent(new Uri($"{request.Scheme}://{request.Host.ToUriComponent()}"));

    private static Task Refuse(HttpContext context, string why) => FederatedApi.Error(ErrorCode.ForeignSite, why).ExecuteAsync(context);
}
