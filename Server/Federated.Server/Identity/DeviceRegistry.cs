using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Shared.Identity;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Identity;

/// <summary>
/// Who may take part: enrolled devices and the tokens that enroll further ones, in memory and durable in the store. What it answers is what the
/// store holds: a change is written before it counts. Thread-safe; one process serves a store.
/// </summary>
internal sealed class DeviceRegistry(RegistryStore store, TimeProvider time) : IDisposable
{
    // Used and expired tokens stay this long, so that who tries one is told what is wrong with it.
    private static readonly TimeSpan _tokensRemembered = TimeSpan.FromDays(30);

    private readonly ConcurrentDictionary<string, EnrolledDevice> _devices = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TokenRecord> _tokens = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changes = new(1, 1);

    /// <inheritdoc/>
    public void Dispose() => _changes.Dispose();

    /// <summary>Every device, by name.</summary>
    public IEnumerable<EnrolledDevice> Devices => _devices.Values.OrderBy(device => device.DeviceId, StringComparer.Ordinal);

    /// <summary>Every token that is remembered, oldest first.</summary>
    public IEnumerable<TokenRecord> Tokens => _tokens.Values.OrderBy(token => token.CreatedAt);

    /// <summary>Reads what the store holds.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        await foreach (EnrolledDevice device in store.DevicesAsync(ct))
        {
            _devices[device.DeviceId] = device;
        }

        await foreach (TokenRecord token in store.TokensAsync(ct))
        {
            if (token.ExpiresAt + _tokensRemembered < time.GetUtcNow())
            {
                await store.DeleteAsync(token, ct);
            }
            else
            {
                _tokens[token.Hash] = token;
            }
        }
    }

    /// <summary>The device; null when it is not enrolled. A revoked one is found.</summary>
    public EnrolledDevice? Find(string deviceId) => _devices.GetValueOrDefault(deviceId);

    /// <summary>
    /// The keys that devices enrolled with, for secure aggregation. Revoked devices are not in it. Keys are not thread-safe: every worker takes a
    /// directory of its own, and disposes it.
    /// </summary>
    public EnrolledKeys OpenKeys() => new(this);

    /// <summary>Makes a token and gives it; the registry keeps its hash.</summary>
    public async Task<(EnrollmentToken Token, TokenRecord Record)> CreateTokenAsync(
        ContentHash authority, TimeSpan lifetime, string? deviceId, string? population, IReadOnlyDictionary<string, string> labels, CancellationToken ct)
    {
        EnrollmentToken token = EnrollmentToken.Create(authority);
        DateTimeOffset now = time.GetUtcNow();
        TokenRecord record = new()
        {
            Hash = token.SecretHash.Hex,
            CreatedAt = now,
            ExpiresAt = now + lifetime,
            DeviceId = deviceId,
            Population = population,
            Labels = labels,
        };
        await store.WriteAsync(record, ct);
        _tokens[record.Hash] = record;
        return (token, record);
    }

    /// <summary>Exchanges a token for a place in the registry. The signature has been checked.</summary>
    /// <exception cref="ProtocolViolationException">The token gives none, or the name is another device's.</exception>
    public async Task<EnrolledDevice> EnrollAsync(
        ContentHash secretHash, string deviceId, string population, byte[] publicKey, DateTimeOffset certificateEndsAt, CancellationToken ct)
    {
        await _changes.WaitAsync(ct);
        try
        {
            TokenRecord token = _tokens.GetValueOrDefault(secretHash.Hex)
                ?? throw new ProtocolViolationException(ErrorCode.TokenUnknown, "There is no such enrollment token.");
            string name = NameFor(token, deviceId, publicKey);
            string place = PopulationFor(token, population);
            EnrolledDevice? repeating = token.UsedBy is null ? null : RepeatingDevice(token, name, publicKey);
            if (repeating is null && time.GetUtcNow() > token.ExpiresAt)
            {
                throw new ProtocolViolationException(ErrorCode.TokenExpired, $"The enrollment token ended at {token.ExpiresAt:u}.") { DeviceId = token.DeviceId };
            }

            if (token.UsedBy is null && token.DeviceId is null && _devices.TryGetValue(name, out EnrolledDevice? holder))
            {
                throw new ProtocolViolationException(
                    ErrorCode.Conflict,
                    $"Device '{holder.DeviceId}' is enrolled already. Choose another name, or create a token for this name to replace its key.")
                {
                    DeviceId = holder.DeviceId,
                };
            }

            // A repetition changes nothing but the certificate: what an operator has said of the device meanwhile stands.
            EnrolledDevice device = repeating is not null
                ? repeating with { CertificateEndsAt = certificateEndsAt }
                : new()
                {
                    DeviceId = name,
                    Population = place,
                    Labels = token.Labels,
                    PublicKey = publicKey,
                    Token = token.Hash,
                    EnrolledAt = time.GetUtcNow(),
                    CertificateEndsAt = certificateEndsAt,
                };

            // The token first: a crash between the two costs the device nothing, because the same key may ask again.
            TokenRecord used = token with { UsedBy = name };
            await store.WriteAsync(used, ct);
            _tokens[used.Hash] = used;
            await PutAsync(device, ct);
            return device;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Changes a device.</summary>
    /// <exception cref="ProtocolViolationException">There is none.</exception>
    public async Task<EnrolledDevice> ChangeAsync(string deviceId, Func<EnrolledDevice, EnrolledDevice> change, CancellationToken ct)
    {
        await _changes.WaitAsync(ct);
        try
        {
            EnrolledDevice device = change(Find(deviceId)
                ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"No device '{deviceId}' is enrolled. List them with 'devices list'."));
            await PutAsync(device, ct);
            return device;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Refuses every later call of the device.</summary>
    public Task<EnrolledDevice> RevokeAsync(string deviceId, CancellationToken ct) =>
        ChangeAsync(deviceId, device => device with { RevokedAt = device.RevokedAt ?? time.GetUtcNow() }, ct);

    private async Task PutAsync(EnrolledDevice device, CancellationToken ct)
    {
        await store.WriteAsync(device, ct);
        _devices[device.DeviceId] = device;
    }

    private static string NameFor(TokenRecord token, string deviceId, byte[] publicKey)
    {
        if (token.DeviceId is { } only && deviceId.Length > 0 && deviceId != only)
        {
            throw new ProtocolViolationException(ErrorCode.WrongDevice, $"The token is for device '{only}', the request names '{deviceId}'.") { DeviceId = only };
        }

        return token.DeviceId ?? (deviceId.Length > 0 ? deviceId : "device-" + ContentHash.Of(publicKey).Hex[..16]);
    }

    private static string PopulationFor(TokenRecord token, string population) => token.Population is { } only && population.Length > 0 && population != only
        ? throw new ProtocolViolationException(ErrorCode.WrongDevice, $"The token is for population '{only}', the request names '{population}'.")
        : token.Population ?? population;

    /// <summary>The device that repeats its enrollment; null when a crash left the token used and no device written.</summary>
    /// <exception cref="ProtocolViolationException">The request is not the one that used the token, or its device was revoked.</exception>
    private EnrolledDevice? RepeatingDevice(TokenRecord token, string name, byte[] publicKey)
    {
        EnrolledDevice? holder = Find(token.UsedBy!);

        // Where no device was written, the one that asks first under that name is the one.
        bool same = holder is null || holder.Token != token.Hash
            ? token.UsedBy == name && holder is null
            : name == holder.DeviceId && !holder.Confirmed && CryptographicOperations.FixedTimeEquals(holder.PublicKey, publicKey);
        if (!same)
        {
            throw new ProtocolViolationException(ErrorCode.TokenUsed, $"Device '{token.UsedBy}' has used this enrollment token.") { DeviceId = token.UsedBy };
        }

        return holder is { RevokedAt: { } since }
            ? throw new ProtocolViolationException(ErrorCode.DeviceRevoked, $"Device '{holder.DeviceId}' was revoked at {since:u}.") { DeviceId = holder.DeviceId }
            : holder;
    }
}
