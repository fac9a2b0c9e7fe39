using Federated.Client.Identity;
using Federated.Client.Transport;
using Federated.Server.Api;
using Federated.Server.Identity;
using Federated.Shared.Identity;
using Federated.Shared.Protos;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>How honest devices get, keep and lose their identity.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class EnrollmentTests(SecureServer server) : IClassFixture<SecureServer>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enroll_WithAToken_GivesAnIdentityThatTheServerKnows()
    {
        DeviceIdentity identity = await server.EnrollAsync("pi-1");
        await using GrpcServerLink link = GrpcServerLink.Connect(identity.Server, new GrpcLinkOptions { Security = identity.Security });

        CheckInReply reply = await link.CheckInAsync(
            new CheckInRequest { ProtocolVersion = 1, DeviceId = "pi-1", Population = "homes", Engine = "none" }, TimeSpan.FromSeconds(30), new ByteCounter(), Cancelled);

        Assert.NotNull(reply.Retry);
        DeviceEnrollment listed = Assert.Single(await server.Api.EnrollmentsAsync(Cancelled), device => device.DeviceId == "pi-1");
        Assert.Equal("homes", listed.Population);
        Assert.Null(listed.RevokedAt);
        Assert.Equal("pi-1", Assert.Single(await server.Api.TokensAsync(Cancelled), token => token.UsedBy == "pi-1").UsedBy);
    }

    [Fact]
    public async Task Enroll_Identity_IsReadableByItsOwnerAlone()
    {
        _ = await server.EnrollAsync("pi-private");

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.Combine(server.StateOf("pi-private"), StoredIdentity.FileName)));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.Combine(server.AuthorityFolder, "authority.key")));
    }

    [Fact]
    public async Task Enroll_InterruptedBeforeTheReplyWasKept_SucceedsWithTheSameToken()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());
        string state = server.StateOf("pi-cut");
        StoredIdentity first = await EnrollmentCalls.EnrollAsync(server.Address, token, "pi-cut", "", state, Cancelled);
        (first with { Certificate = [], Authority = [] }).Write(state);

        StoredIdentity second = await EnrollmentCalls.EnrollAsync(server.Address, token, "pi-cut", "", state, Cancelled);

        Assert.Equal(first.PrivateKey, second.PrivateKey);
        Assert.Equal("pi-cut", second.DeviceId);
    }

    [Fact]
    public async Task Enroll_WithoutAName_IsNamedAfterItsKey()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync());

        StoredIdentity identity = await EnrollmentCalls.EnrollAsync(server.Address, token, "", "", server.StateOf("unnamed"), Cancelled);

        Assert.Matches("^device-[0-9a-f]{16}$", identity.DeviceId);
    }

    [Fact]
    public async Task Renew_LeavesTheKeyAndExtendsTheCertificate()
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        DeviceIdentity identity = await own.EnrollAsync("pi-renewed");
        DateTimeOffset end = identity.CertificateEndsAt;
        byte[] key = StoredIdentity.Read(own.StateOf("pi-renewed"))!.PrivateKey;
        own.MoveClock(TimeSpan.FromDays(40));

        Assert.False(identity.IsRenewalDue(end - TimeSpan.FromDays(89)));
        Assert.True(identity.IsRenewalDue(end - TimeSpan.FromDays(20)));
        await EnrollmentCalls.RenewAsync(identity, identity.Server, Cancelled);

        Assert.Equal(40, (identity.CertificateEndsAt - end).TotalDays, 0.1);
        StoredIdentity stored = StoredIdentity.Read(own.StateOf("pi-renewed"))!;
        Assert.Equal(key, stored.PrivateKey);
        Assert.Equal(identity.CertificateEndsAt, DeviceIdentity.Open(own.StateOf("pi-renewed"))!.CertificateEndsAt);
    }

    [Fact]
    public async Task Agent_BeforeACheckIn_RenewsWhenDue_AndGoesOnWithoutWhenTheServerIsAway()
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        DeviceIdentity identity = await own.EnrollAsync("pi-agent");
        DateTimeOffset end = identity.CertificateEndsAt;
        FakeTimeProvider clock = new(end - TimeSpan.FromDays(40));
        CertificateRenewal renewal = new(identity, identity.Server, clock, NullLogger.Instance);
        Assert.Null(await renewal.AskAsync(Cancelled));
        Assert.Equal(end, identity.CertificateEndsAt);

        clock.Advance(TimeSpan.FromDays(20));
        own.MoveClock(TimeSpan.FromDays(40));
        Assert.Null(await renewal.AskAsync(Cancelled));
        Assert.Equal(40, (identity.CertificateEndsAt - end).TotalDays, 0.1);

        // Due again, but nobody answers: the agent goes on with the certificate it has.
        end = identity.CertificateEndsAt;
        clock.Advance(TimeSpan.FromDays(50));
        await own.StopAsync();
        Assert.Null(await renewal.AskAsync(Cancelled));
        Assert.Equal(end, identity.CertificateEndsAt);
    }

    [Fact]
    public async Task Agent_RenewedCertificateCannotBeWritten_GoesOnWithTheOldOneAndTriesAgain()
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        DeviceIdentity identity = await own.EnrollAsync("pi-full");
        DateTimeOffset end = identity.CertificateEndsAt;
        FakeTimeProvider clock = new(end - TimeSpan.FromDays(20));
        CertificateRenewal renewal = new(identity, own.Address, clock, NullLogger.Instance);

        // A folder in the way of the file's replacement stands for a disk that takes nothing more, for whichever user the tests run as.
        string file = Path.Combine(own.StateOf("pi-full"), StoredIdentity.FileName);
        byte[] content = await File.ReadAllBytesAsync(file, Cancelled);
        File.Delete(file);
        Directory.CreateDirectory(Path.Combine(file, "in the way"));
        Assert.Null(await renewal.AskAsync(Cancelled));
        Assert.Equal(end, identity.CertificateEndsAt);

        Directory.Delete(file, recursive: true);
        await File.WriteAllBytesAsync(file, content, Cancelled);
        own.MoveClock(TimeSpan.FromDays(40));
        clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(await renewal.AskAsync(Cancelled));
        Assert.True(identity.CertificateEndsAt > end, "it was not renewed when there was room again");
    }

    [Fact]
    public async Task Restart_OfTheServer_KeepsAuthorityDevicesAndRevocations()
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        DeviceIdentity kept = await own.EnrollAsync("kept");
        _ = await own.EnrollAsync("revoked");
        await own.Api.RevokeDeviceAsync("revoked", Cancelled);
        string unused = await own.TokenAsync();
        await own.StopAsync();
        await own.StartAsync();

        LinkSecurity security = kept.Security;
        using GrpcChannel channel = GrpcConnection.Open(own.Address, new GrpcLinkOptions { Security = security });
        Assert.NotNull((await SecureServer.CheckInAsync(channel, "kept")).Retry);
        Assert.NotNull(Assert.Single(await own.Api.EnrollmentsAsync(Cancelled), device => device.DeviceId == "revoked").RevokedAt);
        StoredIdentity late = await EnrollmentCalls.EnrollAsync(own.Address, EnrollmentToken.Parse(unused), "late", "", own.StateOf("late"), Cancelled);
        Assert.Equal("late", late.DeviceId);
    }

    [Fact]
    public async Task Label_SetByTheOperator_WinsOverTheDevices()
    {
        using DeviceIdentity identity = await server.EnrollAsync("pi-labelled");
        await server.Api.LabelDeviceAsync("pi-labelled", new Dictionary<string, string> { ["ring"] = "canary" }, Cancelled);
        using GrpcChannel channel = GrpcConnection.Open(server.Address, new GrpcLinkOptions { Security = identity.Security });
        CheckInRequest request = new() { ProtocolVersion = 1, DeviceId = "pi-labelled", Population = "homes", Labels = { ["ring"] = "everyone", ["board"] = "pi5" } };

        await new DeviceService.DeviceServiceClient(channel).CheckInAsync(request, cancellationToken: Cancelled);

        Server.Grains.DeviceRecord record = await Scene.Eventually.GetAsync<Server.Grains.DeviceRecord>("the device's record has its labels", async () =>
        {
            try
            {
                return (await server.Api.DeviceAsync("pi-labelled", Cancelled)).Record;
            }
            catch (ServerApiException)
            {
                return null;
            }
        });
        Assert.Equal("canary", record.Labels["ring"]);
        Assert.Equal("pi5", record.Labels["board"]);
    }

    [Fact]
    public async Task Authority_WithAKeyThatOthersCanRead_IsRefused()
    {
        await using SecureServer own = new();
        await own.InitializeAsync();
        await own.StopAsync();
        string key = Path.Combine(own.AuthorityFolder, "authority.key");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        Server.Hosting.RefusedOptionsException refusal = await Assert.ThrowsAsync<Server.Hosting.RefusedOptionsException>(own.StartAsync);

        Assert.Contains("chmod 600", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_InClearTextBeyondLoopback_IsRefused()
    {
        Server.Hosting.ServerOptions open = new() { Address = System.Net.IPAddress.Any, Identity = new IdentityOptions { InsecureLoopback = true } };

        Server.Hosting.RefusedOptionsException refusal = await Assert.ThrowsAsync<Server.Hosting.RefusedOptionsException>(() => Server.Hosting.FederatedServer.StartAsync(open, Cancelled));

        Assert.Contains("enroll the devices", refusal.Message, StringComparison.Ordinal);
    }
}
