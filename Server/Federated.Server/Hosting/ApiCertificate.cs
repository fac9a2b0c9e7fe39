using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Federated.Server.Hosting;

/// <summary>Where the certificate of the HTTP port lies.</summary>
/// <param name="CertificatePath">PEM file: the certificate, then those of the authorities between it and a root, if there are any.</param>
/// <param name="KeyPath">PEM file of its key, without a password.</param>
public sealed record ApiCertificateFiles(string CertificatePath, string KeyPath);

/// <summary>
/// The certificate of the HTTP port, read from its files and read again when they change, so that a renewal needs no restart. Files that cannot be used leave the last good certificate in
/// its place, and the log says so. Thread-safe.
/// </summary>
internal sealed partial class ApiCertificate
{
    private static readonly TimeSpan _lookEvery = TimeSpan.FromMinutes(1);

    private readonly ApiCertificateFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private SslStreamCertificateContext _current;
    private (DateTime Certificate, DateTime Key) _read;
    private DateTimeOffset _lookAt;

    /// <summary>Reads the files.</summary>
    /// <exception cref="RefusedOptionsException">They cannot be read, or are no certificate with its key.</exception>
    public ApiCertificate(ApiCertificateFiles files, TimeProvider time, ILogger<ApiCertificate> logger)
    {
        _files = files;
        _time = time;
        _logger = logger;
        _read = Written();
        _current = Read();
        _lookAt = time.GetUtcNow() + _lookEvery;
    }

    /// <summary>What a handshake shows now.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_gate)
            {
                DateTimeOffset now = _time.GetUtcNow();
                if (now >= _lookAt)
                {
                    _lookAt = now + _lookEvery;
                    ReadAgain();
                }

                return _current;
            }
        }
    }

    private void ReadAgain()
    {
        try
        {
            (DateTime, DateTime) written = Written();
            if (written != _read)
            {
                // The old one is not disposed: handshakes under way may still use it.
                _current = Read();
                _read = written;
                LogRead(_files.CertificatePath, _current.TargetCertificate.NotAfter.ToUniversalTime());
            }
        }
        catch (Exception e) when (e is RefusedOptionsException or IOException or UnauthorizedAccessException)
        {
            LogNotRead(e.Message);
        }
    }

    private (DateTime Certificate, DateTime Key) Written() => (File.GetLastWriteTimeUtc(_files.CertificatePath), File.GetLastWriteTimeUtc(_files.KeyPath));

    private SslStreamCertificateContext Read()
    {
        try
        {
            X509Certificate2 own = X509Certificate2.CreateFromPemFile(_files.CertificatePath, _files.KeyPath);
            if (own.NotAfter.ToUniversalTime() <= _time.GetUtcNow())
            {
                LogOver(_files.CertificatePath, own.NotAfter.ToUniversalTime());
            }

            X509Certificate2Collection chain = [];
            chain.ImportFromPemFile(_files.CertificatePath);
            return SslStreamCertificateContext.Create(own, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new RefusedOptionsException(
                $"'{_files.CertificatePath}' and '{_files.KeyPath}' are no certificate with its key, as PEM and without a password: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedOptionsException($"The certificate of the HTTP port cannot be read: {e.Message}", e);
        }
    }

    [LoggerMessage(43, LogLevel.Information, "The HTTP port shows the new certificate of {File}, which ends {End:u}")]
    private partial void LogRead(string file, DateTime end);

    [LoggerMessage(44, LogLevel.Error, "The HTTP port keeps its certificate: {Detail}")]
    private partial void LogNotRead(string detail);

    [LoggerMessage(45, LogLevel.Warning, "The certificate {File} of the HTTP port ended {End:u}; browsers will refuse it")]
    private partial void LogOver(string file, DateTime end);
}
