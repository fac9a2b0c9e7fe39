using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Identity;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>Whoever sits between: a TLS server with a certificate of his own under the right names, who repeats what he has learned of the real one.</summary>
internal sealed class ImpostorServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Memory _memory;

    private ImpostorServer(WebApplication application, Memory memory)
    {
        _application = application;
        _memory = memory;
    }

    public Uri Address => new(_application.Urls.Single());

    public int AuthorityCalls => _memory.AuthorityCalls;

    public int EnrollCalls => _memory.EnrollCalls;

    public static async Task<ImpostorServer> StartAsync(byte[] authority)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=federated-server", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(IdentityNames.ServerUsage)], critical: true));
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(IdentityNames.Server);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));

        Memory memory = new(authority);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(certificate);
        }));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(memory);
        WebApplication application = builder.Build();
        application.MapGrpcService<Enrollment>();
        await application.StartAsync();
        return new ImpostorServer(application, memory);
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private sealed class Memory(byte[] authority)
    {
        public int AuthorityCalls;

        public int EnrollCalls;

        public byte[] Authority { get; } = authority;
    }

    private sealed class Enrollment(Memory memory) : EnrollmentService.EnrollmentServiceBase
    {
        public override Task<AuthorityReply> Authority(AuthorityRequest request, ServerCallContext context)
        {
            Interlocked.Increment(ref memory.AuthorityCalls);
            return Task.FromResult(new AuthorityReply { Certificate = ByteString.CopyFrom(memory.Authority) });
        }

        public override Task<EnrollReply> Enroll(EnrollRequest request, ServerCallContext context)
        {
            Interlocked.Increment(ref memory.EnrollCalls);
            throw new RpcException(new Status(StatusCode.Internal, "thank you"));
        }
    }
}
