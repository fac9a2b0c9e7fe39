using System.Text;
using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class TextFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_SeveralTexts_GivesThemInOrdinalOrder()
    {
        _folder.Write("b.txt", "zwei"u8.ToArray());
        _folder.Write("a.txt", [.. Encoding.UTF8.Preamble, .. "éins"u8]);
        _folder.Write("B.txt", []);
        _folder.Write("c.bin", [0xff]);
        Assert.Equal(
            [new TextDocument("B.txt", ""), new TextDocument("a.txt", "éins"), new TextDocument("b.txt", "zwei")],
            TextFolder.Load(_folder.Path).Documents);
    }

    [Fact]
    public void Load_HiddenFile_IsNotRead()
    {
        _folder.Write("a.txt", "one"u8.ToArray());
        _folder.Write(".draft.txt", "two"u8.ToArray());
        Assert.Equal([new TextDocument("a.txt", "one")], TextFolder.Load(_folder.Path).Documents);
    }

    [Fact]
    public void Load_NotUtf8_NamesFileByteAndOffset()
    {
        _folder.Write("a.txt", [.. Encoding.UTF8.Preamble, (byte)'x', 0xc3, 0x28]);
        AssertRefused("a.txt", "0xC3", "offset 4");
    }

    [Fact]
    public void Load_FileBeyondTheLimit_NamesBothLengths()
    {
        using (FileStream file = File.Create(Path.Combine(_folder.Path, "a.txt")))
        {
            file.SetLength(TextFolder.MaxFileBytes + 1);
        }

        AssertRefused("a.txt", $"{TextFolder.MaxFileBytes + 1} bytes", $"{TextFolder.MaxFileBytes} a file");
    }

    [Fact]
    public void Load_NoTexts_SaysSo() => AssertRefused("no .txt files");

    [Fact]
    public void Load_NoFolder_SaysSo() =>
        Assert.Throws<DirectoryNotFoundException>(() => TextFolder.Load(Path.Combine(_folder.Path, "absent")));

    private void AssertRefused(params string[] words)
    {
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => TextFolder.Load(_folder.Path));
        Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
    }
}
