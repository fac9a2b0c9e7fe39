using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Server.Identity;

namespace Federated.Server.Tests.Identity;

public sealed class MemberCertificatesTests : IDisposable
{
    private static readonly DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("federated-authority-");

    [Fact]
    public void Of_SameDeviceLater_IsSignedOnce()
    {
        MemberCertificates certificates = new(DeviceAuthority.Open(_folder.FullName, _now));
        EnrolledDevice device = Device();

        byte[] first = certificates.Of(device, _now);
        byte[] again = certificates.Of(device, _now.AddDays(1));

        Assert.Same(first, again);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(first);
        Assert.Equal("device-1", certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        Assert.Equal(device.PublicKey, certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(device.CertificateEndsAt, new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));
    }

    [Fact]
    public void Of_OtherKeyOrEnd_IsSignedAnew()
    {
        MemberCertificates certificates = new(DeviceAuthority.Open(_folder.FullName, _now));
        EnrolledDevice device = Device();
        EnrolledDevice enrolledAnew = Device();
        EnrolledDevice renewed = enrolledAnew with { CertificateEndsAt = _now.AddDays(60) };

        byte[] first = certificates.Of(device, _now);
        byte[] second = certificates.Of(enrolledAnew, _now);
        byte[] third = certificates.Of(renewed, _now);

        Assert.NotEqual(first, second);
        Assert.NotEqual(second, third);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(third);
        Assert.Equal(enrolledAnew.PublicKey, certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(renewed.CertificateEndsAt, new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static EnrolledDevice Device()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new EnrolledDevice { DeviceId = "device-1", PublicKey = key.ExportSubjectPublicKeyInfo(), CertificateEndsAt = _now.AddDays(30) };
    }
}
