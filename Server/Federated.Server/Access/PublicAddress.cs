namespace Federated.Server.Access;

/// <summary>
/// Takes every request to the HTTP port for one to the address that people know, whatever reached this server of it: a proxy that ends TLS passes requests on as HTTP, and often under another name.
/// What is made from the address then fits the proxy: where an identity provider sends people back to, whether cookies travel over HTTPS alone, and what a page of this server's own is.
/// </summary>
/// <param name="next">What handles the request.</param>
/// <param name="address">The address, https.</param>
internal sealed class PublicAddress(RequestDelegate next, Uri address)
{
    private readonly HostString _host = new(address.Authority);

    /// <summary>Demands an address that people can reach a whole server at.</summary>
    /// <exception cref="Hosting.RefusedOptionsException">It is none.</exception>
    public static void Check(Uri address)
    {
        if (!address.IsAbsoluteUri || address.Scheme != Uri.UriSchemeHttps || address.PathAndQuery != "/" || address.Fragment.Length > 0 || address.UserInfo.Length > 0)
        {
            throw new Hosting.RefusedOptionsException(
                $"The public address of the HTTP port is '{address}'; allowed is an address like https://HOST/ or https://HOST:PORT/, of a proxy that ends TLS, without a path.");
        }
    }

    /// <summary>Hands the request on.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<HttpPortConnection>() is not null)
        {
            context.Request.Scheme = address.Scheme;
            context.Request.Host = _host;
        }

        return next(context);
    }
}
