using System.Text.Json;
using Federated.Client.Session;
using Federated.Server.Api;
using Federated.Shared.SecureAggregation;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>Devices with keys of their own, enrolled with a server in this process or, by a file, with one in another.</summary>
internal sealed class EnrolledFleet : IDisposable
{
    private readonly string[] _names;
    private readonly DeviceSigningKey[] _keys;
    private readonly EnrolledDevices _devices = new();
    private DeviceVerifyingKey? _serverKey;

    public EnrolledFleet(string[] names)
    {
        _names = names;
        _keys = [.. names.Select(_ => DeviceSigningKey.Create())];
        for (int i = 0; i < names.Length; i++)
        {
            _devices.Enroll(names[i], _keys[i].ToVerifyingKey());
        }
    }

    /// <summary>Everyone's public key.</summary>
    public IEnrolledDevices Devices => _devices;

    /// <summary>What the devices know of the server from their enrollment.</summary>
    public async Task KnowAsync(ServerApiClient api) =>
        _serverKey = DeviceVerifyingKey.FromSubjectPublicKey((await api.DescribeAsync(TestContext.Current.CancellationToken)).SigningKey);

    /// <summary>Writes the public keys where a server process reads them.</summary>
    public void WriteFile(string path) => File.WriteAllText(
        path, JsonSerializer.Serialize(_names.ToDictionary(name => name, name => _devices.Find(name)!.ToSubjectPublicKey())));

    public GroupMembership Of(int device) => new() { SigningKey = _keys[device], Devices = _devices, ServerKey = _serverKey! };

    public void Dispose()
    {
        Array.ForEach(_keys, key => key.Dispose());
        _devices.Dispose();
        _serverKey?.Dispose();
    }
}
