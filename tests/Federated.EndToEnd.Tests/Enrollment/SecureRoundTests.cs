using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Identity;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Identity;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>Enrolled devices in secure aggregation: each verifies the others by certificates of the authority that it pinned.</summary>
public sealed class SecureRoundTests(SecureServer server) : IClassFixture<SecureServer>
{
    private const int Devices = 4;
    private const int ExamplesPerDevice = 60;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rounds_OfEnrolledDevices_CommitUnderMasksAndKnowAReplacedKey()
    {
        string[] names = [.. Enumerable.Range(0, Devices).Select(i => $"masked-{i}")];
        Dictionary<string, DeviceIdentity> identities = [];
        foreach (string name in names)
        {
            identities[name] = await server.EnrollAsync(name, "killable");
        }

        using ModelCache models = new(new ModelCacheOptions { ChargeEveryDevice = true, TrainingThreads = 1 });
        Device[] fleet = [.. names.Select((name, i) => new Device(identities[name], models, i))];
        await RunJobAsync(fleet);

        // With a new token one of them comes back with a new key, which the others have to learn.
        string replaced = EnrollmentFolder(names[0]);
        EnrollmentToken token = EnrollmentToken.Parse(await server.TokenAsync(deviceId: names[0], population: "killable"));
        await EnrollmentCalls.EnrollAsync(server.Address, token, names[0], "", replaced, Cancelled);
        await fleet[0].DisposeAsync();
        fleet[0] = new Device(DeviceIdentity.Open(replaced)!, models, 0);
        await RunJobAsync(fleet);

        foreach (Device device in fleet)
        {
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task Members_OnlyWhatTheAuthorityCertified_IsFound()
    {
        using DeviceIdentity asking = await server.EnrollAsync("asking");
        using DeviceIdentity honest = await server.EnrollAsync("honest-member");
        await using GrpcServerLink link = GrpcServerLink.Connect(server.Address, new GrpcLinkOptions { Security = asking.Security });
        GroupMembership enrollment = asking.Enrollment(link)!;
        CertifiedMembers directory = Assert.IsType<CertifiedMembers>(enrollment.Devices);

        await directory.LearnAsync(["honest-member", "never-enrolled"], new ByteCounter(), Cancelled);

        Assert.Equal(PublicKeyOf("honest-member"), directory.Find("honest-member")!.ToSubjectPublicKey());
        Assert.Null(directory.Find("never-enrolled"));
        Assert.Null(directory.Find("asking"));
    }

    [Fact]
    public async Task Members_RevokedDevice_IsNotTold()
    {
        using DeviceIdentity asking = await server.EnrollAsync("asking-late");
        _ = await server.EnrollAsync("revoked-member");
        await server.Api.RevokeDeviceAsync("revoked-member", Cancelled);
        await using GrpcServerLink link = GrpcServerLink.Connect(server.Address, new GrpcLinkOptions { Security = asking.Security });

        MembersReply reply = await link.MembersAsync(
            new MembersRequest { ProtocolVersion = 1, Members = { new KnownMember { DeviceId = "revoked-member" } } }, new ByteCounter(), Cancelled);

        Assert.Empty(reply.Certificates);
    }

    [Theory]
    [InlineData("another authority")]
    [InlineData("of a server")]
    [InlineData("over")]
    [InlineData("not asked for")]
    [InlineData("noise")]
    public async Task Learn_CertificateThatProvesNothing_IsNotBelieved(string fault)
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 authority = Authority(authorityKey);
        using X509Certificate2 other = Authority(otherKey);
        DateTimeOffset end = TimeProvider.System.GetUtcNow() + (fault == "over" ? TimeSpan.FromHours(-1) : TimeSpan.FromDays(1));
        byte[] sent = fault == "noise"
            ? [1, 2, 3]
            : Issue(
                fault == "another authority" ? other : authority,
                fault == "not asked for" ? "stranger" : "member",
                fault == "of a server" ? IdentityNames.ServerUsage : IdentityNames.ClientUsage,
                end);
        byte[] good = Issue(authority, "good", IdentityNames.ClientUsage, TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(1));
        CertifiedMembers members = new(
            new PinnedAuthority(authority.RawData),
            (_, _, _) => Task.FromResult(new MembersReply { Certificates = { ByteString.CopyFrom(sent), ByteString.CopyFrom(good) } }));

        await members.LearnAsync(["member", "good"], new ByteCounter(), Cancelled);

        Assert.Null(members.Find("member"));
        Assert.Null(members.Find("stranger"));
        Assert.NotNull(members.Find("good"));
    }

    private async Task RunJobAsync(Device[] fleet)
    {
        JobStatus job = await server.Api.SubmitJobAsync(SecureJob.Spec(Devices, """{ "secure": { "minMembers": 4 } }""", rounds: 2, quorum: 1), Cancelled);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Task running = Task.WhenAll(fleet.Select(device => device.ServeAsync(stop.Token)));

        JobStatus end = await RunningServer.EndAsync(server.Api, job.JobId);
        await stop.CancelAsync();
        await running;

        Assert.True(end.State == JobState.Completed, $"{end.State}: {end.Reason} {string.Join("; ", fleet.Select(device => device.Last))}");
        List<RoundRecord> records = await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Cancelled);
        Assert.Equal(2, records.Count);
        Assert.All(records, record => Assert.Equal(Devices, record.Accepted));
        Assert.All(records, record => Assert.Equal(1, record.Groups!.Count));
    }

    private string EnrollmentFolder(string device) => server.StateOf($"{device}-again");

    private byte[] PublicKeyOf(string device)
    {
        using DeviceSigningKey key = DeviceSigningKey.FromPkcs8(StoredIdentity.Read(server.StateOf(device))!.PrivateKey);
        using DeviceVerifyingKey verifying = key.ToVerifyingKey();
        return verifying.ToSubjectPublicKey();
    }

    private static X509Certificate2 Authority(ECDsa key)
    {
        CertificateRequest request = new("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(5), TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(5));
    }

    private static byte[] Issue(X509Certificate2 authority, string device, string usage, DateTimeOffset end)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={device}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: true));
        using X509Certificate2 issued = request.Create(authority, end - TimeSpan.FromDays(3), end, [1, 2, 3, 4]);
        return issued.RawData;
    }

    /// <summary>One device's session over its own connection.</summary>
    private sealed class Device : IAsyncDisposable
    {
        private readonly DeviceIdentity _identity;
        private readonly GrpcServerLink _link;
        private readonly ClientSession _session;

        public Device(DeviceIdentity identity, ModelCache models, int index)
        {
            _identity = identity;
            _link = GrpcServerLink.Connect(identity.Server, new GrpcLinkOptions { Security = identity.Security });
            _session = new ClientSession(
                new ClientIdentity(identity.DeviceId, identity.Population, new Dictionary<string, string>()),
                _link,
                models,
                Mnist.Slice(index * ExamplesPerDevice, ExamplesPerDevice),
                new SessionOptions { PauseAfterFailure = TimeSpan.Zero },
                TimeProvider.System,
                enrollment: identity.Enrollment(_link));
        }

        /// <summary>What became of the last session.</summary>
        public string Last { get; private set; } = "";

        public Task ServeAsync(CancellationToken stop) => DeviceLoop.RunAsync(
            async ct =>
            {
                SessionReport report = await _session.RunOnceAsync(ct);
                Last = report.Result == SessionResult.NoAssignment ? Last : $"{_identity.DeviceId} {report.Result} {report.Detail}";
            },
            stop);

        public async ValueTask DisposeAsync()
        {
            await _link.DisposeAsync();
            _identity.Dispose();
        }
    }
}
