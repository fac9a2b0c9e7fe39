using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Protocol;
using Grpc.Net.Client;

namespace Federated.Client.Transport;

/// <summary>Opens gRPC channels the way every link of the client needs them.</summary>
internal static class GrpcConnection
{
    private const int LeastWindowBytes = 65_535;

    /// <summary>A channel; the connection is made by the first call and again whenever it broke.</summary>
    /// <exception cref="ArgumentException">The address is not absolute, or neither http nor https.</exception>
    public static GrpcChannel Open(Uri server, GrpcLinkOptions options)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(options);
        if (!server.IsAbsoluteUri || (server.Scheme != Uri.UriSchemeHttp && server.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException(
                $"The server address '{server}' is not an absolute http or https URL. Write it as https://HOST:PORT.", nameof(server));
        }

        SocketsHttpHandler handler = new()
        {
            EnableMultipleHttp2Connections = options.MultipleConnections,
            InitialHttp2StreamWindowSize = options.MaxBytesPerSecond == 0 ? options.InitialStreamWindowBytes : LeastWindowBytes,
            ConnectTimeout = options.ConnectTimeout,
            KeepAlivePingDelay = options.KeepAliveDelay,
            KeepAlivePingTimeout = options.KeepAliveTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            UseProxy = false,
            UseCookies = false,
        };
        if (options.Security is { } security)
        {
            handler.PooledConnectionLifetime = security.ConnectionLifetime;
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = security.ServerCheck,
                LocalCertificateSelectionCallback = (_, _, _, _, _) => security.Certificate()!,
                CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
            };
        }

        return GrpcChannel.ForAddress(server, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = ProtocolLimits.MaxMessageBytes,
            MaxSendMessageSize = ProtocolLimits.MaxMessageBytes,
            MaxRetryAttempts = 0,
        });
    }
}
