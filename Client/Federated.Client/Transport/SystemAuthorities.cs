using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace Federated.Client.Transport;

/// <summary>
/// The certificate authorities that the system trusts. A device believes the one authority that it pinned, but whenever a chain is built the framework first loads all of the system's,
/// whoever is trusted: 140 files, which was two thirds of the time from the start to the first check-in. Hidden from the framework, they are read when a store of somebody
/// else's is asked, and not before.
/// </summary>
internal static partial class SystemAuthorities
{
    private const string Nowhere = "/nonexistent";

    // Where OpenSSL, and the framework after it, are told to look.
    private static readonly string[] _variables = ["SSL_CERT_DIR", "SSL_CERT_FILE"];

    // All of them in one file: Debian, Ubuntu and what is made of them; Fedora; Alpine and others.
    private static readonly string[] _bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

    private static bool _hidden;

    /// <summary>Tells the whole process that there are none, unless somebody has said where they are. Call it before the first certificate is used.</summary>
    public static void Hide()
    {
        if (!OperatingSystem.IsLinux() || _variables.Any(variable => Environment.GetEnvironmentVariable(variable) is not null))
        {
            return;
        }

        foreach (string variable in _variables)
        {
            // The framework reads them from the C library, whose environment Environment.SetEnvironmentVariable does not change.
            _ = SetEnvironment(variable, Nowhere, overwrite: 1);
        }

        _hidden = true;
    }

    /// <summary>What judges the certificate of a server that the system, not the device's authority, vouches for; null when the framework does that by itself.</summary>
    public static X509ChainPolicy? Policy() => _hidden ? PolicyOf(_bundles) : null;

    /// <summary>Trust in the authorities of the first of these files that can be read; in none when there is no such file.</summary>
    internal static X509ChainPolicy PolicyOf(IEnumerable<string> bundles)
    {
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (bundles.FirstOrDefault(File.Exists) is { } bundle)
        {
            policy.CustomTrustStore.ImportFromPemFile(bundle);
        }

        return policy;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
