using Federated.Server.Collection;
using Federated.Server.Grains;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Shared.Identity;
using Federated.Shared.Protocol;

namespace Federated.Server.Api;

/// <summary>What a token is asked for.</summary>
/// <param name="LifetimeSeconds">How long it may be used: 60 to 7,776,000 (90 days).</param>
/// <param name="DeviceId">The only device it is for, whose key it replaces when there is one; null for a new device.</param>
/// <param name="Population">The device's population; null when the device may say.</param>
/// <param name="Labels">Labels the device gets.</param>
public sealed record TokenRequest(double LifetimeSeconds, string? DeviceId, string? Population, IReadOnlyDictionary<string, string>? Labels);

/// <summary>A new token: the only time that it is shown.</summary>
/// <param name="Token">The text for the device.</param>
/// <param name="Hash">What it is listed as.</param>
/// <param name="ExpiresAt">When it ends.</param>
/// <param name="Server">Where devices connect.</param>
public sealed record NewToken(string Token, string Hash, DateTimeOffset ExpiresAt, Uri Server);

/// <summary>An enrolled device.</summary>
/// <param name="DeviceId">Its name.</param>
/// <param name="Population">Its population; empty for any.</param>
/// <param name="Labels">Labels that the operator set.</param>
/// <param name="EnrolledAt">When it enrolled.</param>
/// <param name="CertificateEndsAt">When its latest certificate ends.</param>
/// <param name="RevokedAt">When it was revoked; null when it was not.</param>
/// <param name="LastRefusal">The last call that concerned it and was refused for the identity of who made it, within the last day and since the server started; null when there was none.</param>
public sealed record DeviceEnrollment(
    string DeviceId,
    string Population,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset EnrolledAt,
    DateTimeOffset CertificateEndsAt,
    DateTimeOffset? RevokedAt,
    RefusedCall? LastRefusal);

/// <summary>Maps the routes of enrollment: tokens, devices, revocation, labels.</summary>
internal static class DeviceRoutes
{
    private const int MaxLabels = 32;
    private static readonly TimeSpan _shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _longest = TimeSpan.FromDays(90);

    /// <summary>Adds the routes.</summary>
    public static void MapDeviceRoutes(this RouteGroupBuilder api)
    {
        const string devices = "devices";
        const string enrollment = "enrollment";
        api.MapPost("/tokens", CreateTokenAsync).Says<NewToken>("Make an enrollment token", enrollment);
        api.MapGet("/tokens", (DeviceRegistry registry) => FederatedApi.Json(registry.Tokens)).RequireAuthorization(Access.AccessPolicies.Operator)
            .Says<List<TokenRecord>>("The enrollment tokens", enrollment);
        api.MapGet("/enrollments", (DeviceRegistry registry, RefusedCalls refused) => FederatedApi.Json(registry.Devices.Select(device => Describe(device, refused))))
            .Says<List<DeviceEnrollment>>("The enrolled devices", enrollment);
        api.MapGet("/refused-calls", (RefusedCalls refused) => FederatedApi.Json(refused.OfStrangers()))
            .Says<StrangerCalls>("Refused calls since the server started that no enrolled device can be named for; those of a device stand at the device", devices);
        api.MapGet("/devices", (DeviceRegistry registry, RefusedCalls refused, FleetCensus census) => FederatedApi.Json(
            DeviceListing.Of(census.Devices(), registry.Devices.Select(device => Describe(device, refused)))))
            .Says<List<DeviceSummary>>("Devices that are enrolled or have checked in since the server started", devices);
        api.MapGet("/devices/{id}", DetailAsync).Says<DeviceDetail>("A device with its history and last errors", devices);
        api.MapPost("/devices/{id}/revoke", async (string id, DeviceRegistry registry, RefusedCalls refused, CancellationToken ct) =>
            FederatedApi.Json(Describe(await registry.RevokeAsync(id, ct), refused))).Says<DeviceEnrollment>("Refuse every later call of a device", enrollment);
        api.MapPut("/devices/{id}/labels", async (string id, Dictionary<string, string> labels, DeviceRegistry registry, RefusedCalls refused, CancellationToken ct) =>
        {
            Check(labels);
            return FederatedApi.Json(Describe(await registry.ChangeAsync(id, device => device with { Labels = labels }, ct), refused));
        }).Says<DeviceEnrollment>("Replace the labels of a device", enrollment);
    }

    private static async Task<IResult> DetailAsync(string id, DeviceRegistry registry, RefusedCalls refused, FleetCensus census, IGrainFactory grains)
    {
        _ = FederatedApi.Identifier(id);
        return FederatedApi.Json(FederatedApi.Found(await FindAsync(id, registry, refused, census, grains), id));
    }

    /// <summary>A device; null when it is neither enrolled nor has it ever checked in.</summary>
    public static async Task<DeviceDetail?> FindAsync(string id, DeviceRegistry registry, RefusedCalls refused, FleetCensus census, IGrainFactory grains)
    {
        EnrolledDevice? enrolled = registry.Devices.FirstOrDefault(device => device.DeviceId == id);
        DeviceRecord? record = await grains.Of<IDeviceGrain>(id).Record();
        DeviceSummary? device = DeviceListing.Of(census.Find(id), enrolled is null ? null : Describe(enrolled, refused))
            ?? (record is null ? null : new DeviceSummary { DeviceId = id, Population = record.Population, Labels = record.Labels });
        return device is null ? null : new DeviceDetail(device, record) { Refused = refused.Of(id) };
    }

    private static async Task<IResult> CreateTokenAsync(
        TokenRequest request, DeviceRegistry registry, ServerAddresses addresses, IServiceProvider services, CancellationToken ct)
    {
        DeviceAuthority authority = services.GetService<DeviceAuthority>()
            ?? throw new ProtocolViolationException(
                ErrorCode.Conflict, "This server takes devices in clear text, where none is enrolled. Start it without --insecure-loopback.");
        if (!(request.LifetimeSeconds >= _shortest.TotalSeconds && request.LifetimeSeconds <= _longest.TotalSeconds))
        {
            throw new ProtocolViolationException(
                ErrorCode.InvalidSetting, $"A token for {request.LifetimeSeconds} s was asked for; allowed are {_shortest.TotalSeconds} s to {_longest.TotalSeconds} s.");
        }

        foreach (string name in new[] { request.DeviceId, request.Population }.OfType<string>())
        {
            Grpc.Demand.Identifier(name, "device_id or population");
        }

        Check(request.Labels);
        (EnrollmentToken token, TokenRecord record) = await registry.CreateTokenAsync(
            authority.Fingerprint,
            TimeSpan.FromSeconds(request.LifetimeSeconds),
            request.DeviceId,
            request.Population,
            request.Labels ?? new Dictionary<string, string>(),
            ct);
        return FederatedApi.Json(new NewToken(token.ToText(), record.Hash, record.ExpiresAt, addresses.Grpc));
    }

    /// <summary>A device of the registry as the API shows it.</summary>
    public static DeviceEnrollment Describe(EnrolledDevice device, RefusedCalls refused) => new(
        device.DeviceId,
        device.Population,
        device.Labels,
        device.EnrolledAt,
        device.CertificateEndsAt,
        device.RevokedAt,
        refused.Last(device.DeviceId));

    private static void Check(IReadOnlyDictionary<string, string>? labels)
    {
        if (labels is { Count: > MaxLabels })
        {
            throw new ProtocolViolationException(ErrorCode.LimitExceeded, $"{labels.Count} labels were given, the limit is {MaxLabels}.");
        }

        foreach ((string name, string? value) in labels ?? new Dictionary<string, string>())
        {
            Grpc.Demand.Identifier(name, "the name of a label");
            if (value is null)
            {
                throw new ProtocolViolationException(ErrorCode.InvalidSetting, $"Label '{name}' is null; allowed is a text, or leave it out.");
            }

            Grpc.Demand.Line(value, $"label '{name}'");
        }
    }
}
