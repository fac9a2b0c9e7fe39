using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Modeling.Tests;

public sealed class PackageFolderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("package-");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Write_FolderWithAnotherPackage_LeavesNothingOfIt(bool damaged)
    {
        ModelPackage earlier = Package(seed: 1);
        ModelPackage later = Package(seed: 2);
        string notes = Path.Combine(_folder.FullName, "notes.txt");
        _ = PackageFolder.Write(earlier, _folder.FullName);
        File.WriteAllText(notes, "mine");
        if (damaged)
        {
            File.WriteAllText(Path.Combine(_folder.FullName, PackageFolder.ManifestFile), "{");
        }

        ContentHash hash = PackageFolder.Write(later, _folder.FullName);

        Assert.Equal(hash, ContentHash.Of(PackageFolder.Read(_folder.FullName).Manifest.ToBytes()));
        Assert.True(File.Exists(notes));
        string[] weights = [.. _folder.GetFiles().Select(file => file.Name).Where(name => ContentHash.TryParse(name, out _))];
        Assert.Contains(later.Manifest.FrozenWeights[0].Sha256, weights);
        Assert.Equal(damaged, weights.Contains(earlier.Manifest.FrozenWeights[0].Sha256));
    }

    [Fact]
    public void Write_WeightsThatCannotBeWritten_LeavesTheEarlierPackage()
    {
        ModelPackage earlier = Package(seed: 1);
        ModelPackage later = Package(seed: 2);
        ContentHash hash = PackageFolder.Write(earlier, _folder.FullName);

        // A folder of that name is in the way.
        Directory.CreateDirectory(Path.Combine(_folder.FullName, later.Manifest.FrozenWeights[0].Sha256));

        Assert.ThrowsAny<Exception>(() => PackageFolder.Write(later, _folder.FullName));
        Assert.Equal(hash, ContentHash.Of(PackageFolder.Read(_folder.FullName).Manifest.ToBytes()));
    }

    [Fact]
    public void Write_PackageThatIsThereAlready_KeepsItsWeights()
    {
        ContentHash hash = PackageFolder.Write(Package(seed: 1), _folder.FullName);

        Assert.Equal(hash, PackageFolder.Write(Package(seed: 1), _folder.FullName));
        Assert.Equal(hash, ContentHash.Of(PackageFolder.Read(_folder.FullName).Manifest.ToBytes()));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static ModelPackage Package(ulong seed) =>
        ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 40, Hidden = [20], Classes = 3, Lora = new PackageLora(2, 4, ".*", 1) }, seed);
}
