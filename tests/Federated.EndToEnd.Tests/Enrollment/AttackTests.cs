using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Identity;
using Federated.Client.Transport;
using Federated.Server.Api;
using Federated.Server.Identity;
using Federated.Shared.Identity;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>What somebody tries who wants to be a device, or a server, that he is not. Each is refused with its code and logged once.</summary>
public sealed class AttackTests(SecureServer server) : IClassFixture<SecureServer>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_WithoutACertificate_IsRefused()
    {
        using GrpcChannel channel = server.ChannelAs(null);

        await server.RefusesAsync(ErrorCode.NotEnrolled, () => SecureServer.CheckInAsync(channel, "nobody"));
        await server.RefusesAsync(ErrorCode.NotEnrolled, async () => await new TransferService.TransferServiceClient(channel)
            .Download(new DownloadRequest { Sha256 = ByteString.CopyFrom(new byte[32]) }).ResponseStream.MoveNext(Cancelled));
        await server.RefusesAsync(ErrorCode.NotEnrolled, async () => await new EnrollmentService.EnrollmentServiceClient(channel)
            .RenewAsync(new RenewRequest { ProtocolVersion = 1 }, cancellationToken: Cancelled));
    }

    [Fact]
    public async Task Token_StolenAfterUse_IsRefusedAndShownAtTheDevice()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());
        _ = await EnrollmentCalls.EnrollAsync(server.Address, token, "owner", "", server.StateOf("owner"), Cancelled);
        using GrpcChannel thief = server.ChannelAs(null);

        await server.RefusesAsync(ErrorCode.TokenUsed, () => EnrollAsync(thief, EnrollRequests.Of(token, "thief")));
        await server.RefusesAsync(ErrorCode.TokenUsed, () => EnrollAsync(thief, EnrollRequests.Of(token, "owner")));

        Assert.Equal("TokenUsed", Assert.Single(await server.Api.EnrollmentsAsync(Cancelled), device => device.DeviceId == "owner").LastRefusal?.Code);
        Assert.DoesNotContain(await server.Api.EnrollmentsAsync(Cancelled), device => device.DeviceId == "thief");
    }

    [Fact]
    public async Task Token_UsedByManyAtOnce_EnrollsOne()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());
        using GrpcChannel channel = server.ChannelAs(null);

        bool[] enrolled = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            try
            {
                await EnrollAsync(channel, EnrollRequests.Of(token, $"racer-{i}"));
                return true;
            }
            catch (RpcException e) when (e.Trailers.GetValue(ErrorCatalogue.TrailerName) == ((int)ErrorCode.TokenUsed).ToString())
            {
                return false;
            }
        }));

        Assert.Single(enrolled, true);
    }

    [Fact]
    public async Task Token_GuessedOrChanged_IsRefused()
    {
        EnrollmentToken real = EnrollmentToken.Parse(await server.TokenAsync());
        EnrollmentToken guessed = EnrollmentToken.Create(real.Authority);
        using GrpcChannel channel = server.ChannelAs(null);

        await server.RefusesAsync(ErrorCode.TokenUnknown, () => EnrollAsync(channel, EnrollRequests.Of(guessed, "guesser")));
        EnrollRequest tampered = EnrollRequests.Of(real, "honest");
        tampered.DeviceId = "dishonest";
        await server.RefusesAsync(ErrorCode.BadSignature, () => EnrollAsync(channel, tampered));
    }

    [Fact]
    public async Task Token_AfterItsTime_IsRefused()
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        EnrollmentToken token = EnrollmentToken.Parse(await own.TokenAsync());
        using GrpcChannel channel = own.ChannelAs(null);
        own.MoveClock(TimeSpan.FromMinutes(61));

        await own.RefusesAsync(ErrorCode.TokenExpired, () => EnrollAsync(channel, EnrollRequests.Of(token, "late")));
    }

    [Fact]
    public async Task Token_ForAnotherDevice_IsRefused()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync(deviceId: "chosen"));
        using GrpcChannel channel = server.ChannelAs(null);

        await server.RefusesAsync(ErrorCode.WrongDevice, () => EnrollAsync(channel, EnrollRequests.Of(token, "other")));
    }

    [Fact]
    public async Task Name_OfAnEnrolledDevice_CannotBeTakenWithAnyToken()
    {
        _ = await server.EnrollAsync("taken");
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());
        using GrpcChannel channel = server.ChannelAs(null);

        await server.RefusesAsync(ErrorCode.Conflict, () => EnrollAsync(channel, EnrollRequests.Of(token, "taken")));
    }

    [Fact]
    public async Task Certificate_OfAnotherAuthority_IsRefused()
    {
        using DeviceIdentity real = await server.EnrollAsync("victim");
        string folder = Path.Combine(server.StateOf("forger"), "authority");
        using DeviceAuthority forger = DeviceAuthority.Open(folder, TimeProvider.System.GetUtcNow());
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] forged = forger.IssueDevice(key.ExportSubjectPublicKeyInfo(), "victim", TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(1));
        using X509Certificate2 shown = X509CertificateLoader.LoadCertificate(forged).CopyWithPrivateKey(key);
        using GrpcChannel channel = server.ChannelAs(shown);

        await server.RefusesAsync(ErrorCode.ForeignCertificate, () => SecureServer.CheckInAsync(channel, "victim"));
    }

    [Fact]
    public async Task Certificate_OfTheServerItself_IsNoDevice()
    {
        using DeviceAuthority authority = DeviceAuthority.Open(server.AuthorityFolder, TimeProvider.System.GetUtcNow());
        using X509Certificate2 shown = authority.IssueServer([], TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(1));
        using GrpcChannel channel = server.ChannelAs(shown);

        await server.RefusesAsync(ErrorCode.ForeignCertificate, () => SecureServer.CheckInAsync(channel, "federated-server"));
    }

    [Fact]
    public async Task Certificate_OfAKeyThatWasReplaced_IsRefused()
    {
        using DeviceIdentity old = await server.EnrollAsync("replaced");
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync(deviceId: "replaced"));
        _ = await EnrollmentCalls.EnrollAsync(server.Address, token, "", "", server.StateOf("replaced-again"), Cancelled);
        using GrpcChannel channel = server.ChannelAs(old.Security.Certificate());

        await server.RefusesAsync(ErrorCode.ForeignCertificate, () => SecureServer.CheckInAsync(channel, "replaced"));
    }

    [Fact]
    public async Task Device_Revoked_IsRefusedWithItsNextCallOnTheSameConnection()
    {
        using DeviceIdentity device = await server.EnrollAsync("stolen");
        using GrpcChannel channel = server.ChannelAs(device.Security.Certificate());
        Assert.NotNull((await SecureServer.CheckInAsync(channel, "stolen")).Retry);

        await server.Api.RevokeDeviceAsync("stolen", Cancelled);

        await server.RefusesAsync(ErrorCode.DeviceRevoked, () => SecureServer.CheckInAsync(channel, "stolen"));
        await server.RefusesAsync(ErrorCode.DeviceRevoked, async () => await new EnrollmentService.EnrollmentServiceClient(channel)
            .RenewAsync(new RenewRequest { ProtocolVersion = 1 }, cancellationToken: Cancelled));
        Assert.Equal("DeviceRevoked", Assert.Single(await server.Api.EnrollmentsAsync(Cancelled), found => found.DeviceId == "stolen").LastRefusal?.Code);
    }

    [Fact]
    public async Task Certificate_AfterItsTime_IsGoodForNothingButRenewalWithinItsGrace()
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        using DeviceIdentity device = await own.EnrollAsync("sleeper");
        using GrpcChannel channel = own.ChannelAs(device.Security.Certificate());
        EnrollmentService.EnrollmentServiceClient calls = new(channel);
        own.MoveClock(TimeSpan.FromDays(91));

        await own.RefusesAsync(ErrorCode.CertificateExpired, () => SecureServer.CheckInAsync(channel, "sleeper"));
        RenewReply renewed = await calls.RenewAsync(new RenewRequest { ProtocolVersion = 1 }, cancellationToken: Cancelled);
        Assert.NotEmpty(renewed.Certificate);
        own.MoveClock(TimeSpan.FromDays(30));
        await own.RefusesAsync(
            ErrorCode.CertificateExpired, async () => await calls.RenewAsync(new RenewRequest { ProtocolVersion = 1 }, cancellationToken: Cancelled));
    }

    [Fact]
    public async Task Enrollment_ReplayedAfterTheDeviceWasSeen_IsRefused()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using DeviceSigningKey signing = DeviceSigningKey.FromPkcs8(key.ExportPkcs8PrivateKey());
        EnrollRequest recorded = EnrollRequests.Of(token, "recorded", signing);
        using GrpcChannel eavesdropper = server.ChannelAs(null);
        EnrollReply reply = await EnrollAsync(eavesdropper, recorded);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(reply.Certificate.ToByteArray()).CopyWithPrivateKey(key);
        using GrpcChannel device = server.ChannelAs(certificate);
        Assert.NotNull((await SecureServer.CheckInAsync(device, "recorded")).Retry);

        await server.RefusesAsync(ErrorCode.TokenUsed, () => EnrollAsync(eavesdropper, recorded));
    }

    [Fact]
    public async Task Enrollment_RepeatedAfterARevocation_IsRefusedAndLeavesItRevoked()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());
        using DeviceSigningKey key = DeviceSigningKey.Create();
        using GrpcChannel thief = server.ChannelAs(null);
        await EnrollAsync(thief, EnrollRequests.Of(token, "quiet", key));
        await server.Api.RevokeDeviceAsync("quiet", Cancelled);

        await server.RefusesAsync(ErrorCode.DeviceRevoked, () => EnrollAsync(thief, EnrollRequests.Of(token, "quiet", key)));

        DeviceEnrollment device = Assert.Single(await server.Api.EnrollmentsAsync(Cancelled), found => found.DeviceId == "quiet");
        Assert.NotNull(device.RevokedAt);
        Assert.Equal("DeviceRevoked", device.LastRefusal?.Code);
    }

    [Fact]
    public async Task Enrollment_RepeatedByItsDevice_KeepsWhatTheOperatorSaidMeanwhile()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());
        using DeviceSigningKey key = DeviceSigningKey.Create();
        using GrpcChannel channel = server.ChannelAs(null);
        await EnrollAsync(channel, EnrollRequests.Of(token, "labelled", key));
        DeviceEnrollment before = await server.Api.LabelDeviceAsync("labelled", new Dictionary<string, string> { ["site"] = "roof" }, Cancelled);

        Assert.NotEmpty((await EnrollAsync(channel, EnrollRequests.Of(token, "labelled", key))).Certificate);

        DeviceEnrollment after = Assert.Single(await server.Api.EnrollmentsAsync(Cancelled), found => found.DeviceId == "labelled");
        Assert.Equal("roof", after.Labels["site"]);
        Assert.Equal(before.EnrolledAt, after.EnrolledAt);
    }

    [Fact]
    public async Task Call_OfAnotherDevice_CannotBeReplayedUnderOnesOwnCertificate()
    {
        using DeviceIdentity device = await server.EnrollAsync("mallory");
        using GrpcChannel channel = server.ChannelAs(device.Security.Certificate());
        SubmitHeader recorded = new() { ProtocolVersion = 1, DeviceId = "alice", JobId = "job", Round = 1, Sha256 = ByteString.CopyFrom(new byte[32]), LengthBytes = 1 };

        await server.RefusesAsync(ErrorCode.WrongDevice, () => SecureServer.CheckInAsync(channel, "alice"));
        await server.RefusesAsync(ErrorCode.WrongDevice, () => new Scene.StubDevice("mallory", "homes", channel)
            .SendAsync(new SubmitChunk { Header = recorded, Data = ByteString.CopyFrom(1) }));
        await server.RefusesAsync(ErrorCode.WrongDevice, async () => await new DeviceService.DeviceServiceClient(channel)
            .ReportAbortAsync(new AbortReport { DeviceId = "alice", JobId = "job", Round = 1 }, cancellationToken: Cancelled));
        await server.RefusesAsync(ErrorCode.WrongDevice, async () => await new UpdateService.UpdateServiceClient(channel)
            .UploadStatusAsync(new UploadStatusRequest { DeviceId = "alice", JobId = "job", Round = 1, Sha256 = recorded.Sha256 }, cancellationToken: Cancelled));
        await server.RefusesAsync(ErrorCode.WrongDevice, async () => await new GroupService.GroupServiceClient(channel)
            .ExchangeAsync(new GroupRequest { DeviceId = "alice", JobId = "job", Round = 1, Awaits = GroupStep.Roster }, cancellationToken: Cancelled));
    }

    [Fact]
    public async Task Protocol_Older_IsRefused()
    {
        using DeviceIdentity device = await server.EnrollAsync("older");
        using GrpcChannel channel = server.ChannelAs(device.Security.Certificate());

        await server.RefusesAsync(ErrorCode.UnsupportedVersion, () => SecureServer.CheckInAsync(channel, "older", version: 0));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Transport_DowngradedToAnOlderTlsOrClearText_GetsNoConnection(bool olderTls)
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        (await own.EnrollAsync("honest")).Dispose();
        using TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, own.Address.Port, Cancelled);

        if (olderTls)
        {
            await using SslStream tls = new(tcp.GetStream());
#pragma warning disable CA5359 // Who attacks believes anybody.
            SslClientAuthenticationOptions options = new()
            {
                TargetHost = "localhost",
                EnabledSslProtocols = SslProtocols.Tls12,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            };
#pragma warning restore CA5359
            await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(options, Cancelled));
        }
        else
        {
            await tcp.GetStream().WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), Cancelled);
            byte[] answer = new byte[64];
            int read = await tcp.GetStream().ReadAsync(answer, Cancelled);

            // At most a TLS alert (content type 21), never a frame of HTTP/2.
            Assert.True(read == 0 || answer[0] == 21, $"The server answered {read} bytes beginning with {answer[0]}.");
        }

        await Scene.Eventually.HoldsAsync("the refused handshake is logged", () => own.Logged("no TLS 1.3 handshake") == 1);
    }

    [Fact]
    public async Task Enroll_WithAManInTheMiddleWhoHasAnAuthorityOfHisOwn_SendsNoToken()
    {
        await using SecureServer middle = new();
        await middle.InitializeAsync();
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());

        ServerLinkException refusal = await Assert.ThrowsAsync<ServerLinkException>(
            () => EnrollmentCalls.EnrollAsync(middle.Address, token, "misled", "", server.StateOf("misled"), Cancelled));

        Assert.Equal(ErrorCode.ForeignServer, refusal.Code);
        Assert.Equal(0, middle.Logged(nameof(ErrorCode.TokenUnknown)));
        _ = await EnrollmentCalls.EnrollAsync(server.Address, token, "misled", "", server.StateOf("misled"), Cancelled);
    }

    [Fact]
    public async Task Enroll_WithAManInTheMiddleWhoShowsTheRealAuthority_SendsNoToken()
    {
        byte[] real = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(server.AuthorityFolder, "authority.crt")).RawData;
        await using ImpostorServer middle = await ImpostorServer.StartAsync(real);
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());

        ServerLinkException refusal = await Assert.ThrowsAsync<ServerLinkException>(
            () => EnrollmentCalls.EnrollAsync(middle.Address, token, "misled-2", "", server.StateOf("misled-2"), Cancelled));

        Assert.Equal(ErrorCode.ForeignServer, refusal.Code);
        Assert.Equal(1, middle.AuthorityCalls);
        Assert.Equal(0, middle.EnrollCalls);
    }

    [Fact]
    public async Task CheckIn_AtAnImpostor_SaysNothing()
    {
        using DeviceIdentity device = await server.EnrollAsync("careful");
        await using ImpostorServer middle = await ImpostorServer.StartAsync([]);
        await using GrpcServerLink link = GrpcServerLink.Connect(middle.Address, new GrpcLinkOptions { Security = device.Security });

        ServerLinkException refusal = await Assert.ThrowsAsync<ServerLinkException>(() => link.CheckInAsync(
            new CheckInRequest { ProtocolVersion = 1, DeviceId = "careful", Population = "homes" }, TimeSpan.FromSeconds(30), new ByteCounter(), Cancelled));

        Assert.Equal(ErrorCode.ForeignServer, refusal.Code);
    }

    private static async Task<EnrollReply> EnrollAsync(GrpcChannel channel, EnrollRequest request) =>
        await new EnrollmentService.EnrollmentServiceClient(channel).EnrollAsync(request, cancellationToken: Cancelled);
}
