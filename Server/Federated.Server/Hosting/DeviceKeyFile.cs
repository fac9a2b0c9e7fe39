using System.Text.Json;
using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Hosting;

/// <summary>
/// Public keys of a fixed fleet: a JSON object of device identifiers and P-256 keys, X.509 SubjectPublicKeyInfo in base64.
/// </summary>
internal static class DeviceKeyFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is not such a file; the message names what is wrong.</exception>
    public static EnrolledDevices Read(string path)
    {
        EnrolledDevices devices = new();
        try
        {
            Dictionary<string, byte[]> keys = JsonSerializer.Deserialize<Dictionary<string, byte[]>>(File.ReadAllText(path))
                ?? throw new InvalidDataException($"'{path}' holds no object of device keys.");
            foreach ((string device, byte[] key) in keys)
            {
                if (!ProtocolLimits.IsIdentifier(device))
                {
                    throw new InvalidDataException($"'{device}' in '{path}' is no device identifier.");
                }

                devices.Enroll(device, DeviceVerifyingKey.FromSubjectPublicKey(key));
            }

            return devices;
        }
        catch (Exception e) when (e is JsonException or System.Security.Cryptography.CryptographicException)
        {
            devices.Dispose();
            throw new InvalidDataException($"'{path}' is no file of device keys: {e.Message}", e);
        }
    }
}
