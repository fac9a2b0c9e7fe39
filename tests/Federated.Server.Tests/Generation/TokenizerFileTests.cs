using System.Text.Json.Nodes;
using Federated.Server.Generation;

namespace Federated.Server.Tests.Generation;

public sealed class TokenizerFileTests : IDisposable
{
    // Ġ is the byte-level alphabet's name for a space.
    private const string File = """
        {
          "added_tokens": [{ "id": 9, "content": "<|end|>", "special": true }],
          "normalizer": null,
          "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Digits", "individual_digits": true }, { "type": "ByteLevel", "add_prefix_space": false, "use_regex": true }] },
          "model": {
            "type": "BPE",
            "vocab": { "a": 0, "b": 1, "1": 2, "2": 3, "Ġ": 4, "ab": 5, "Ġab": 6, "12": 7, "Ã": 10, "¤": 11, "<|end|>": 9 },
            "merges": ["a b", ["Ġ", "ab"], "1 2"]
          }
        }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tokenizer-");

    [Fact]
    public void Encode_ByteLevelPairs_FollowsMergesAndDigits()
    {
        ITextTokens tokens = TokenizerFile.Open(Write(File));

        // Each digit stands alone, although there is a pair of them; ä is two bytes.
        Assert.Equal([5, 6, 2, 3, 10, 11], tokens.Encode("ab ab12ä"));
        Assert.Equal([5, 9], tokens.Encode("ab<|end|>"));
    }

    [Theory]
    [InlineData("ab ab12ä")]
    [InlineData("2 1b")]
    public void Decode_OfEncode_IsTheText(string text)
    {
        ITextTokens tokens = TokenizerFile.Open(Write(File));

        Assert.Equal(text, tokens.Decode(tokens.Encode(text)));
    }

    [Fact]
    public void Open_Folder_TakesTheFileInIt()
    {
        _ = Write(File);

        Assert.Equal([5], TokenizerFile.Open(_folder.FullName).Encode("ab"));
    }

    [Theory]
    [InlineData("model", "type", "Unigram", "model.type = Unigram")]
    [InlineData("model", "byte_fallback", true, "model.byte_fallback = True")]
    public void Open_KindThatIsNotSupported_IsNamed(string part, string key, object value, string expected)
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        file[part]![key] = JsonValue.Create(value);

        string message = Assert.Throws<InvalidDataException>(() => TokenizerFile.Open(Write(file.ToJsonString()))).Message;

        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.model", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "type": "ByteLevel", "add_prefix_space": true }""", "pre_tokenizer.add_prefix_space = True")]
    [InlineData(
        """{ "type": "Sequence", "pretokenizers": [{ "type": "Split", "pattern": { "Regex": "a" }, "behavior": "Isolated", "invert": true }, { "type": "ByteLevel" }] }""",
        "pre_tokenizer.invert = True")]
    [InlineData(
        """{ "type": "Sequence", "pretokenizers": [{ "type": "Split", "pattern": { "String": "a" }, "behavior": "Isolated" }, { "type": "ByteLevel" }] }""",
        "pre_tokenizer.pattern = String")]
    [InlineData("""{ "type": "Sequence", "pretokenizers": [] }""", "the last of pre_tokenizer = none")]
    [InlineData("null", "pre_tokenizer is missing or null")]
    public void Open_SplittingThatIsNotSupported_IsNamed(string splitting, string expected)
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        file["pre_tokenizer"] = JsonNode.Parse(splitting);

        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => TokenizerFile.Open(Write(file.ToJsonString()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FileWithoutMerges_NamesThem()
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        _ = file["model"]!.AsObject().Remove("merges");

        Assert.Contains("model.merges is missing", Assert.Throws<InvalidDataException>(() => TokenizerFile.Open(Write(file.ToJsonString()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FileThatIsNoTokenizer_IsRefused()
    {
        Assert.Contains("cannot be read", Assert.Throws<InvalidDataException>(() => TokenizerFile.Open(Write("{}"))).Message, StringComparison.Ordinal);
        Assert.Contains("there is no file", Assert.Throws<InvalidDataException>(() => TokenizerFile.Open(Path.Combine(_folder.FullName, "none.json"))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Write(string content)
    {
        string path = Path.Combine(_folder.FullName, "tokenizer.json");
        System.IO.File.WriteAllText(path, content);
        return path;
    }
}
