using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Shared.Files;

namespace Federated.Client.Identity;

/// <summary>
/// A device's identity as it lies on its disk: one file that only its owner may read, replaced as a whole, so that a power cut leaves the old or the
/// new one. Immutable.
/// </summary>
internal sealed record StoredIdentity
{
    /// <summary>Name of the file in the state folder.</summary>
    public const string FileName = "identity.json";

    private const int MaxFileBytes = 1 << 20;

    /// <summary>Where the server is.</summary>
    public required string Server { get; init; }

    /// <summary>The device; empty until it is enrolled and the server may choose.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Its population; empty when <c>run</c> names it.</summary>
    public required string Population { get; init; }

    /// <summary>PKCS #8. It never leaves the device.</summary>
    public required byte[] PrivateKey { get; init; }

    /// <summary>DER; empty until the device is enrolled.</summary>
    public byte[] Certificate { get; init; } = [];

    /// <summary>The authority that is pinned, DER.</summary>
    public byte[] Authority { get; init; } = [];

    /// <summary>SubjectPublicKeyInfo of the key that the server signs group headers with; empty when it has told none.</summary>
    public byte[] ServerSigningKey { get; init; } = [];

    /// <summary>Reads the identity of a state folder; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The file is not an identity.</exception>
    public static StoredIdentity? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        if (new FileInfo(path).Length > MaxFileBytes)
        {
            throw new InvalidDataException($"'{path}' has more than {MaxFileBytes} bytes; it is no identity.");
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), StoredIdentityContext.Default.StoredIdentity)
                ?? throw new InvalidDataException($"'{path}' is empty; enroll the device again.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is no identity: {e.Message} Enroll the device again.", e);
        }
    }

    /// <summary>Replaces the identity of a state folder; returns when it is on the disk.</summary>
    public void Write(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        ReplacedFile.Write(
            Path.GetFullPath(Path.Combine(folder, FileName)), JsonSerializer.SerializeToUtf8Bytes(this, StoredIdentityContext.Default.StoredIdentity));
    }

    /// <summary>The certificate with its key, for TLS.</summary>
    /// <exception cref="InvalidDataException">The two do not belong together, or there is no certificate.</exception>
    public X509Certificate2 OpenCertificate()
    {
        try
        {
            return X509Certificate2.CreateFromPem(PemEncoding.WriteString("CERTIFICATE", Certificate), PemEncoding.WriteString("PRIVATE KEY", PrivateKey));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"The device's certificate does not fit its key: {e.Message} Enroll the device again.", e);
        }
    }
}

[JsonSerializable(typeof(StoredIdentity))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
internal sealed partial class StoredIdentityContext : JsonSerializerContext;
