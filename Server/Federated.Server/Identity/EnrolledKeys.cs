using Federated.Shared.SecureAggregation;

namespace Federated.Server.Identity;

/// <summary>The registry as secure aggregation sees it. For one thread: a key is read in once and then used by whoever holds the directory.</summary>
internal sealed class EnrolledKeys(DeviceRegistry registry) : IEnrolledDevices, IDisposable
{
    private readonly Dictionary<string, (byte[] Source, DeviceVerifyingKey Key)> _keys = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public DeviceVerifyingKey? Find(string deviceId)
    {
        if (registry.Find(deviceId) is not { RevokedAt: null } device)
        {
            return null;
        }

        if (_keys.TryGetValue(deviceId, out (byte[] Source, DeviceVerifyingKey Key) known))
        {
            if (ReferenceEquals(known.Source, device.PublicKey) || known.Source.AsSpan().SequenceEqual(device.PublicKey))
            {
                return known.Key;
            }

            known.Key.Dispose();
        }

        DeviceVerifyingKey key = DeviceVerifyingKey.FromSubjectPublicKey(device.PublicKey);
        _keys[deviceId] = (device.PublicKey, key);
        return key;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, DeviceVerifyingKey key) in _keys.Values)
        {
            key.Dispose();
        }
    }
}
