using System.Net;
using System.Security.Authentication;
using Federated.Server.Identity;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Federated.Server.Hosting;

/// <summary>How the device port listens: TLS 1.3 with the authority's certificate, or clear text on loopback.</summary>
internal static partial class DeviceEndpoint
{
    private static readonly object _handshakeDone = new();

    /// <summary>Refuses clear text on anything but loopback.</summary>
    /// <exception cref="RefusedOptionsException">The address reaches further.</exception>
    public static void Check(ServerOptions options)
    {
        if (options.Identity.InsecureLoopback && !IPAddress.IsLoopback(options.Address))
        {
            throw new RefusedOptionsException(
                $"Devices may connect in clear text on loopback only, and the address is {options.Address}. Leave out --insecure-loopback and enroll the devices, or listen on 127.0.0.1.");
        }
    }

    /// <summary>Configures the port.</summary>
    public static void Configure(ListenOptions listen, ServerOptions options)
    {
        listen.Protocols = HttpProtocols.Http2;
        if (options.Identity.InsecureLoopback)
        {
            return;
        }

        RefusedCalls refused = listen.ApplicationServices.GetRequiredService<RefusedCalls>();
        ILogger logger = listen.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(DeviceEndpoint).FullName!);

        // What fails before there is a call is told here, once; Kestrel says it only to developers.
        listen.Use(next => async connection =>
        {
            await next(connection);
            if (!connection.Items.ContainsKey(_handshakeDone))
            {
                LogNoHandshake(logger, connection.RemoteEndPoint);
                refused.NoteNoHandshake((connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "");
            }
        });
        listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            SslProtocols = SslProtocols.Tls13,

            // Asked for with the first connection: ports are configured before the store, and the authority in it, are open.
            ServerCertificateSelector = (_, _) => listen.ApplicationServices.GetRequiredService<ServerCertificate>().Current,

            // A certificate that is refused later gets an answer with a code; one refused here would only see its connection end.
            ClientCertificateMode = ClientCertificateMode.AllowCertificate,
            ClientCertificateValidation = (_, _, _) => true,
            OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = DeviceAuthority.Policy(),
        });

        // What stands behind TLS is reached after its handshake alone.
        listen.Use(next => connection =>
        {
            connection.Items[_handshakeDone] = true;
            return next(connection);
        });
    }

    [LoggerMessage(42, LogLevel.Warning, "Connection from {Peer} refused: no TLS 1.3 handshake")]
    private static partial void LogNoHandshake(ILogger logger, EndPoint? peer);
}
