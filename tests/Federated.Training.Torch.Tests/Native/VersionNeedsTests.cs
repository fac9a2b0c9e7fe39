using CsCheck;
using Federated.ElfEdit;

namespace Federated.Training.Torch.Tests.Native;

public sealed class VersionNeedsTests
{
    private const string Library = "libstdc++.so.6";
    private const string Unused = "GLIBCXX_3.4.32";
    private const string Used = "GLIBCXX_3.4.21";

    private static readonly string ShippedPath = Path.Combine(AppContext.BaseDirectory, "Shipped", "libLibTorchSharp.so");
    private static readonly byte[] Shipped = File.ReadAllBytes(ShippedPath);

    [Fact]
    public void Weaken_ShippedLibrary_SetsTheWeakBitAndNothingElse()
    {
        byte[] edited = [.. Shipped];

        Assert.True(VersionNeeds.Weaken(edited, Library, Unused));

        int[] changed = [.. Enumerable.Range(0, Shipped.Length).Where(i => edited[i] != Shipped[i])];
        int at = Assert.Single(changed);
        Assert.Equal(0, Shipped[at]);
        Assert.Equal(2, edited[at]);

        // The record around it: vna_hash is the System V hash of the version's name, the first field, four bytes ahead of the flags.
        Assert.Equal(SystemVHash(Unused), BitConverter.ToUInt32(edited, at - 4));
    }

    [Fact]
    public void Weaken_SecondTime_ChangesNothing()
    {
        byte[] once = [.. Shipped];
        _ = VersionNeeds.Weaken(once, Library, Unused);
        byte[] twice = [.. once];

        Assert.False(VersionNeeds.Weaken(twice, Library, Unused));
        Assert.Equal(once, twice);
    }

    [Theory]
    [InlineData(Library, "GLIBCXX_99.9")]
    [InlineData("libc.so.6", Unused)]
    [InlineData("libnobody.so.1", Unused)]
    public void Weaken_NeedThatIsNotThere_ChangesNothing(string library, string version)
    {
        byte[] image = [.. Shipped];

        Assert.False(VersionNeeds.Weaken(image, library, version));
        Assert.Equal(Shipped, image);
    }

    [Fact]
    public void Weaken_VersionThatCodeUses_IsRefused()
    {
        byte[] image = [.. Shipped];

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => VersionNeeds.Weaken(image, Library, Used));

        Assert.Contains(Used, e.Message, StringComparison.Ordinal);
        Assert.Equal(Shipped, image);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MZ\0\0 a Windows library")]
    [InlineData("\u007fELF\u0001\u0001 a 32-bit library, whose header is long enough to be read as one of 64 bits")]
    public void Weaken_NotA64BitElfFile_IsRefused(string content)
    {
        byte[] image = [.. content.Select(c => (byte)c)];

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => VersionNeeds.Weaken(image, Library, Unused));

        Assert.Contains("64-bit", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weaken_FileCutShort_IsRefused() => Gen.Int[64, Shipped.Length - 1].Sample(
        length => Assert.Throws<InvalidDataException>(() => VersionNeeds.Weaken(Shipped.AsSpan(0, length).ToArray(), Library, Unused)), iter: 50);

    [Fact]
    public void Weaken_DamagedHeaders_IsRefusedOrDone()
    {
        int sectionTable = checked((int)BitConverter.ToInt64(Shipped, 40));
        Gen<int> place = Gen.OneOf(Gen.Int[0, 63], Gen.Int[sectionTable, Shipped.Length - 1]);
        Gen.Select(place, Gen.Byte).Sample(
            (at, value) =>
            {
                byte[] image = [.. Shipped];
                image[at] = value;
                Exception? e = Record.Exception(() => VersionNeeds.Weaken(image, Library, Unused));
                return e is null or InvalidDataException;
            },
            iter: 200);
    }

    /// <summary>System V ABI, chapter "Hash Table".</summary>
    private static uint SystemVHash(string name)
    {
        uint hash = 0;
        foreach (char c in name)
        {
            hash = unchecked((hash << 4) + c);
            uint high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }

        return hash;
    }
}
