using Federated.Client.Session;
using Federated.Shared.SecureAggregation;

namespace Federated.Simulator.Population;

/// <summary>Signing keys of virtual devices, enrolled as real ones are: the public halves are known to server and devices. Thread-safe.</summary>
internal sealed class FleetEnrollment : IDisposable
{
    private readonly DeviceSigningKey[] _keys;
    private readonly EnrolledDevices _devices = new();
    private DeviceVerifyingKey? _serverKey;

    /// <summary>Draws a key for each device and enrolls it.</summary>
    public FleetEnrollment(IReadOnlyList<string> deviceIds)
    {
        _keys = [.. deviceIds.Select(_ => DeviceSigningKey.Create())];
        for (int i = 0; i < _keys.Length; i++)
        {
            _devices.Enroll(deviceIds[i], _keys[i].ToVerifyingKey());
        }
    }

    /// <summary>Everyone's public key.</summary>
    public IEnrolledDevices Devices => _devices;

    /// <summary>Tells the devices which server they know.</summary>
    /// <param name="signingKey">Its public key as the server describes it.</param>
    public void KnowServer(ReadOnlySpan<byte> signingKey) => _serverKey = DeviceVerifyingKey.FromSubjectPublicKey(signingKey);

    /// <summary>What device i has from its enrollment.</summary>
    public GroupMembership Of(int device) => new()
    {
        SigningKey = _keys[device],
        Devices = _devices,
        ServerKey = _serverKey ?? throw new InvalidOperationException("The devices do not know the server's key yet."),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_keys, key => key.Dispose());
        _devices.Dispose();
        _serverKey?.Dispose();
    }
}
