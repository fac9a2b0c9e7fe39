using System.Collections.Concurrent;

namespace Federated.Shared.SecureAggregation;

/// <summary>Enrolled devices in memory. Thread-safe.</summary>
public sealed class EnrolledDevices : IEnrolledDevices, IDisposable
{
    private readonly ConcurrentDictionary<string, DeviceVerifyingKey> _keys = new(StringComparer.Ordinal);

    /// <summary>Enrolls a device, which is enrolled once.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="key">Its public key; taken over.</param>
    /// <exception cref="ArgumentException">The device is enrolled already.</exception>
    public void Enroll(string deviceId, DeviceVerifyingKey key)
    {
        if (!_keys.TryAdd(deviceId, key))
        {
            throw new ArgumentException($"Device {deviceId} is enrolled already.", nameof(deviceId));
        }
    }

    /// <inheritdoc/>
    public DeviceVerifyingKey? Find(string deviceId) => _keys.GetValueOrDefault(deviceId);

    /// <summary>Releases the keys.</summary>
    public void Dispose()
    {
        foreach (DeviceVerifyingKey key in _keys.Values)
        {
            key.Dispose();
        }
    }
}
