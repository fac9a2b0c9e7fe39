using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Server.Access;
using Federated.Server.Hosting;
using Federated.Server.Storage;
using Federated.Testing;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>The HTTP port with a certificate, over real handshakes.</summary>
public sealed class ApiCertificateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _middle;
    private readonly MovableClock _clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ApiCertificateFiles Files => new(Path.Combine(_folder.Path, "chain.pem"), Path.Combine(_folder.Path, "key.pem"));

    public ApiCertificateTests()
    {
        _root = Authority("root", null);
        _middle = Authority("middle", _root);
    }

    public void Dispose()
    {
        _root.Dispose();
        _middle.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Port_WithACertificate_SpeaksHttpsAloneAndShowsTheWholeChain()
    {
        WriteCertificate("first");
        await using FederatedServer server = await StartAsync();

        Assert.Equal("https", server.ApiAddress.Scheme);
        using HttpClient http = Client(server.ApiAddress);
        using HttpResponseMessage health = await http.GetAsync(new Uri("healthz", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        using FormUrlEncodedContent form = new([new("token", GuardedServer.OperatorToken), new("returnUrl", "/")]);
        using HttpResponseMessage login = await http.PostAsync(new Uri("access/login", UriKind.Relative), form, Stop);
        Assert.Contains("; secure", Assert.Single(login.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);

        using HttpClient clear = new() { BaseAddress = new UriBuilder(server.ApiAddress) { Scheme = "http" }.Uri };
        await Assert.ThrowsAsync<HttpRequestException>(() => clear.GetAsync(new Uri("healthz", UriKind.Relative), Stop));
#pragma warning disable SYSLIB0039, CA5397 // An older TLS is what must not work.
        await Assert.ThrowsAnyAsync<Exception>(() => ShownAsync(server.ApiAddress, SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
    }

    [Fact]
    public async Task Certificate_Renewed_IsShownWithoutARestartAndABrokenOneIsNot()
    {
        WriteCertificate("first");
        await using FederatedServer server = await StartAsync();
        Assert.Equal("CN=first", await ShownAsync(server.ApiAddress, SslProtocols.None));

        WriteCertificate("second");
        _clock.Offset += TimeSpan.FromMinutes(1);
        Assert.Equal("CN=second", await ShownAsync(server.ApiAddress, SslProtocols.None));

        await File.WriteAllTextAsync(Files.KeyPath, "no key", Stop);
        _clock.Offset += TimeSpan.FromMinutes(1);
        Assert.Equal("CN=second", await ShownAsync(server.ApiAddress, SslProtocols.None));
    }

    [Theory]
    [InlineData("absent", "cannot be read")]
    [InlineData("empty", "no certificate with its key")]
    [InlineData("other-key", "no certificate with its key")]
    public async Task Start_FilesThatCannotBeUsed_IsRefusedWithTheirNames(string what, string says)
    {
        WriteCertificate("first");
        switch (what)
        {
            case "absent":
                File.Delete(Files.CertificatePath);
                break;
            case "empty":
                await File.WriteAllTextAsync(Files.CertificatePath, "", Stop);
                break;
            default:
                using (ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256))
                {
                    await File.WriteAllTextAsync(Files.KeyPath, other.ExportPkcs8PrivateKeyPem(), Stop);
                }

                break;
        }

        RefusedOptionsException refused = await Assert.ThrowsAsync<RefusedOptionsException>(StartAsync);

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Contains(Files.CertificatePath, refused.Message, StringComparison.Ordinal);
    }

    private Task<FederatedServer> StartAsync() => FederatedServer.StartAsync(
        new ServerOptions
        {
            GrpcPort = 0,
            ApiPort = 0,
            Threads = 1,
            ApiCertificate = Files,
            Storage = new StorageOptions { Kind = StorageKind.Files, Path = Path.Combine(_folder.Path, "store") },
            LogLevel = LogLevel.None,
            Access = new AccessOptions { OperatorToken = GuardedServer.OperatorToken },
            Time = _clock,
        },
        Stop);

    private HttpClient Client(Uri address) => new(new SocketsHttpHandler
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Policy() },
    })
    {
        BaseAddress = address,
    };

    // Knows the root alone: what is in between has to come with the handshake.
    private X509ChainPolicy Policy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        CustomTrustStore = { _root },
    };

    private async Task<string> ShownAsync(Uri address, SslProtocols protocols)
    {
        using TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, address.Port, Stop);
        await using SslStream tls = new(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", EnabledSslProtocols = protocols, CertificateChainPolicy = Policy() }, Stop);
        return tls.RemoteCertificate!.Subject;
    }

    private void WriteCertificate(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = Sign(request, _middle);
        File.WriteAllText(Files.CertificatePath, issued.ExportCertificatePem() + "\n" + _middle.ExportCertificatePem());
        File.WriteAllText(Files.KeyPath, key.ExportPkcs8PrivateKeyPem());
    }

    private static X509Certificate2 Authority(string name, X509Certificate2? issuer)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        if (issuer is null)
        {
            return request.CreateSelfSigned(now.AddDays(-2), now.AddDays(10));
        }

        using X509Certificate2 issued = Sign(request, issuer);
        return issued.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Sign(CertificateRequest request, X509Certificate2 issuer) =>
        request.Create(issuer, issuer.NotBefore, issuer.NotAfter, RandomNumberGenerator.GetBytes(16));
}
