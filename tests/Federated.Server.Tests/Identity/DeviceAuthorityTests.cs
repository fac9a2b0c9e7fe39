using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Testing;

namespace Federated.Server.Tests.Identity;

/// <summary>What an authority's folder must hold.</summary>
public sealed class DeviceAuthorityTests : IDisposable
{
    private static readonly DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();

    private string KeyPath => Path.Combine(_folder.Path, "authority.key");

    private string CertificatePath => Path.Combine(_folder.Path, "authority.crt");

    [Fact]
    public void Open_ASecondTime_IsTheSameAuthority()
    {
        using DeviceAuthority made = Open(_folder.Path);
        using DeviceAuthority again = Open(_folder.Path);

        Assert.Equal(made.Fingerprint, again.Fingerprint);
    }

    [Theory]
    [InlineData("")]
    [InlineData("this is no key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMDA=\n-----END PRIVATE KEY-----")]
    public async Task Open_KeyThatIsNone_IsRefusedWithBothFiles(string key)
    {
        Open(_folder.Path).Dispose();
        await File.WriteAllTextAsync(KeyPath, key, TestContext.Current.CancellationToken);

        AssertRefused(_folder.Path, KeyPath, CertificatePath, "from a backup");
    }

    [Fact]
    public void Open_KeyOfAnotherAuthority_IsRefusedWithBothFiles()
    {
        using TemporaryFolder other = new();
        Open(_folder.Path).Dispose();
        Open(other.Path).Dispose();
        File.Copy(Path.Combine(other.Path, "authority.key"), KeyPath, overwrite: true);

        AssertRefused(_folder.Path, KeyPath, CertificatePath, "from a backup");
    }

    [Fact]
    public void Open_HalfOfItMissing_IsRefusedWithWhatIsMissing()
    {
        Open(_folder.Path).Dispose();
        File.Delete(KeyPath);

        AssertRefused(_folder.Path, KeyPath, CertificatePath, "Restore it");
    }

    [Fact]
    public async Task Open_FolderThatIsAFile_IsRefusedWithItsName()
    {
        string file = Path.Combine(_folder.Path, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);

        AssertRefused(file, file, "--authority");
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    private static DeviceAuthority Open(string folder) => DeviceAuthority.Open(folder, _now);

    private static void AssertRefused(string folder, params string[] named)
    {
        RefusedOptionsException refused = Assert.Throws<RefusedOptionsException>(() => Open(folder));
        Assert.All(named, name => Assert.Contains(name, refused.Message, StringComparison.Ordinal));
    }
}
