using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Transport;
using Federated.Testing;

namespace Federated.Client.Tests.Transport;

public sealed class SystemAuthoritiesTests
{
    [Fact]
    public void Policy_TrustsTheFirstFileThatIsThereAndNothingElse()
    {
        using TemporaryFolder folder = new();
        using X509Certificate2 one = Authority("one");
        using X509Certificate2 two = Authority("two");
        using X509Certificate2 stranger = Authority("stranger");
        string bundle = Path.Combine(folder.Path, "bundle.pem");
        File.WriteAllText(bundle, one.ExportCertificatePem() + "\n" + two.ExportCertificatePem());

        X509ChainPolicy policy = SystemAuthorities.PolicyOf([Path.Combine(folder.Path, "none"), bundle, Path.Combine(folder.Path, "later")]);

        Assert.Equal(2, policy.CustomTrustStore.Count);
        using X509Chain chain = new() { ChainPolicy = policy };
        Assert.True(chain.Build(two));
        Assert.False(chain.Build(stranger));
    }

    [Fact]
    public void Policy_NoFile_TrustsNobody()
    {
        using X509Certificate2 stranger = Authority("stranger");
        using X509Chain chain = new() { ChainPolicy = SystemAuthorities.PolicyOf([]) };

        Assert.False(chain.Build(stranger));
    }

    private static X509Certificate2 Authority(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
