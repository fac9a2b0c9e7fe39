using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Identity;
using Federated.Dashboard.Tests.Scene;
using Federated.EndToEnd.Tests.Enrollment;
using Federated.Server.Api;
using Federated.Server.Identity;
using Federated.Shared.Identity;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;
using Grpc.Net.Client;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Dashboard.Tests;

/// <summary>What somebody tries who is not who he says is seen where people look: at the device, or at the fleet when no device can be named.</summary>
public sealed class RefusedCallTests(BrowserFixture chromium) : IAsyncLifetime
{
    // One for each test: they move its clock.
    private readonly SecureServer _server = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => _server.InitializeAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task DevicePage_AttacksThatConcernADevice_ShowsEachWithItsCode()
    {
        EnrollmentToken token = EnrollmentToken.Parse(await _server.TokenAsync());
        _ = await EnrollmentCalls.EnrollAsync(_server.Address, token, "victim", "", _server.StateOf("victim"), Ct);
        using DeviceIdentity victim = DeviceIdentity.Open(_server.StateOf("victim"))!;
        using GrpcChannel own = _server.ChannelAs(victim.Security.Certificate());
        using GrpcChannel nobody = _server.ChannelAs(null);
        using X509Certificate2 forged = Forged("victim");
        using GrpcChannel forger = _server.ChannelAs(forged);
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, _server.Api.Address);
        Assert.NotNull((await SecureServer.CheckInAsync(own, "victim")).Retry);
        await page.GoAsync("/devices/victim", "victim");
        await Expect(page.Page.Locator("#refused")).ToHaveCountAsync(0);

        // Each is seen without a reload, the latest first.
        await SeenAsync(ErrorCode.TokenUsed, "has used this enrollment token", () => EnrollAsync(nobody, token, "victim"));
        await SeenAsync(ErrorCode.ForeignCertificate, "names itself 'victim'", () => SecureServer.CheckInAsync(forger, "victim"));
        await SeenAsync(ErrorCode.Conflict, "is enrolled already", async () => await EnrollAsync(nobody, EnrollmentToken.Parse(await _server.TokenAsync()), "victim"));
        await SeenAsync(ErrorCode.WrongDevice, "speaks for device 'alice'", () => SecureServer.CheckInAsync(own, "alice"));
        await SeenAsync(ErrorCode.UnsupportedVersion, "speaks protocol 0", () => SecureServer.CheckInAsync(own, "victim", version: 0));
        _server.MoveClock(TimeSpan.FromDays(91));
        await SeenAsync(ErrorCode.CertificateExpired, "ended at", () => SecureServer.CheckInAsync(own, "victim"));
        _ = await _server.Api.RevokeDeviceAsync("victim", Ct);
        await SeenAsync(ErrorCode.DeviceRevoked, "was revoked at", () => SecureServer.CheckInAsync(own, "victim"));
        await _server.RefusesAsync(ErrorCode.DeviceRevoked, () => SecureServer.CheckInAsync(own, "victim"));
        await Expect(Rows(page).First.Locator("td").Last).ToHaveTextAsync("2");

        // The API says the same.
        DeviceDetail detail = await _server.Api.DeviceAsync("victim", Ct);
        Assert.Equal(
            [ErrorCode.DeviceRevoked, ErrorCode.CertificateExpired, ErrorCode.UnsupportedVersion, ErrorCode.WrongDevice, ErrorCode.Conflict, ErrorCode.ForeignCertificate, ErrorCode.TokenUsed],
            detail.Refused.Select(call => Enum.Parse<ErrorCode>(call.Code)));
        Assert.Equal(2, detail.Refused[0].Times);
        Assert.All(detail.Refused, call => Assert.Equal("127.0.0.1", call.Peer));
        await Expect(Rows(page)).ToHaveCountAsync(detail.Refused.Count);
        page.AssertClean();

        async Task SeenAsync(ErrorCode code, string says, Func<Task> attack)
        {
            await _server.RefusesAsync(code, attack);
            await Expect(Rows(page).First).ToContainTextAsync(code.ToString());
            await Expect(Rows(page).First).ToContainTextAsync(says);
        }
    }

    [Fact]
    public async Task FleetPage_AttacksOfStrangers_ShowsEachWithItsCode()
    {
        using DeviceIdentity known = await _server.EnrollAsync("bystander");
        using GrpcChannel nobody = _server.ChannelAs(null);
        using X509Certificate2 forged = Forged("no-device-of-ours");
        using GrpcChannel forger = _server.ChannelAs(forged);
        EnrollmentToken token = EnrollmentToken.Parse(await _server.TokenAsync());
        long before = (await _server.Api.RefusedCallsAsync(Ct)).Total;
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, _server.Api.Address);
        await page.GoAsync("/", "Fleet");

        await SeenAsync(ErrorCode.NotEnrolled, "without a device certificate", () => SecureServer.CheckInAsync(nobody, "somebody"));
        await SeenAsync(ErrorCode.ForeignCertificate, "no-device-of-ours", () => SecureServer.CheckInAsync(forger, "no-device-of-ours"));
        await SeenAsync(ErrorCode.TokenUnknown, "no such enrollment token", () => EnrollAsync(nobody, EnrollmentToken.Create(token.Authority), "guesser"));
        await SeenAsync(ErrorCode.BadSignature, "signature", async () =>
        {
            EnrollRequest changed = EnrollRequests.Of(token, "honest");
            changed.DeviceId = "dishonest";
            await new EnrollmentService.EnrollmentServiceClient(nobody).EnrollAsync(changed, cancellationToken: Ct);
        });
        _server.MoveClock(TimeSpan.FromMinutes(61));
        await SeenAsync(ErrorCode.TokenExpired, "token ended at", () => EnrollAsync(nobody, token, "late"));

        StrangerCalls told = await _server.Api.RefusedCallsAsync(Ct);
        Assert.Equal(before + 5, told.Total);
        Assert.Equal(ErrorCode.TokenExpired.ToString(), told.Calls[0].Code);
        Assert.Empty((await _server.Api.DeviceAsync("bystander", Ct)).Refused);
        page.AssertClean();

        async Task SeenAsync(ErrorCode code, string says, Func<Task> attack)
        {
            await _server.RefusesAsync(code, attack);
            await Expect(Rows(page).First).ToContainTextAsync(code.ToString());
            await Expect(Rows(page).First).ToContainTextAsync(says);
        }
    }

    private static ILocator Rows(WatchedPage page) => page.Page.Locator("section[aria-labelledby=refused] tbody tr");

    private X509Certificate2 Forged(string name)
    {
        using DeviceAuthority forger = DeviceAuthority.Open(Path.Combine(_server.StateOf($"forger-of-{name}"), "authority"), TimeProvider.System.GetUtcNow());
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] forged = forger.IssueDevice(key.ExportSubjectPublicKeyInfo(), name, TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(1));
        return X509CertificateLoader.LoadCertificate(forged).CopyWithPrivateKey(key);
    }

    private static async Task EnrollAsync(GrpcChannel channel, EnrollmentToken token, string device) =>
        await new EnrollmentService.EnrollmentServiceClient(channel).EnrollAsync(EnrollRequests.Of(token, device), cancellationToken: Ct);
}
