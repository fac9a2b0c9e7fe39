using Federated.Shared.SecureAggregation;

namespace Federated.Simulator.Bench.Groups;

/// <summary>Devices with keys, enrolled. Keys are not thread-safe: every worker has a directory of its own.</summary>
internal sealed class EnrolledMembers : IDisposable
{
    private readonly DeviceSigningKey[] _keys;

    /// <summary>Draws keys for members 1…n.</summary>
    public EnrolledMembers(int members) => _keys = [.. Enumerable.Range(0, members).Select(_ => DeviceSigningKey.Create())];

    /// <summary>A member's device; sorts as its number does.</summary>
    public static string DeviceOf(int member) => $"device-{member:D4}";

    /// <summary>A member's key.</summary>
    public DeviceSigningKey KeyOf(int member) => _keys[member - 1];

    /// <summary>A directory of everyone.</summary>
    public IEnrolledDevices NewDirectory() => new Directory(_keys);

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_keys, key => key.Dispose());

    private sealed class Directory : IEnrolledDevices
    {
        private readonly Dictionary<string, DeviceVerifyingKey> _byDevice = [];

        public Directory(DeviceSigningKey[] keys)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                _byDevice.Add(DeviceOf(i + 1), keys[i].ToVerifyingKey());
            }
        }

        public DeviceVerifyingKey? Find(string deviceId) => _byDevice.GetValueOrDefault(deviceId);
    }
}
