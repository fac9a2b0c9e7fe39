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
    [InlineData("dropout", "0.1", "model.dropout = 0.1")]
    [InlineData("continuing_subword_prefix", "\"##\"", "model.continuing_subword_prefix = ##")]
    [InlineData("end_of_word_suffix", "\"</w>\"", "model.end_of_word_suffix = </w>")]
    public void Open_ModelSettingThatIsNotFollowed_IsNamed(string key, string value, string expected) =>
        Assert.Contains(expected, Refusal(file => file["model"]![key] = JsonNode.Parse(value)), StringComparison.Ordinal);

    [Theory]
    [InlineData("single_word")]
    [InlineData("lstrip")]
    [InlineData("rstrip")]
    public void Open_AddedTokenThatTakesMoreThanItsText_IsNamed(string key) =>
        Assert.Contains($"added_tokens.{key} = True", Refusal(file => file["added_tokens"]![0]![key] = true), StringComparison.Ordinal);

    [Theory]
    [InlineData("decoder", """{ "type": "Metaspace" }""", "decoder.type = Metaspace")]
    [InlineData("post_processor", """{ "type": "RobertaProcessing" }""", "post_processor.type = RobertaProcessing")]
    [InlineData("post_processor", """{ "type": "TemplateProcessing", "single": [{ "Sequence": { "id": "A" } }, { "SpecialToken": { "id": "<|end|>" } }] }""", "post_processor.single = a token after the text")]
    [InlineData("post_processor", """{ "type": "TemplateProcessing", "single": [{ "SpecialToken": { "id": "<|end|>" } }] }""", "post_processor.special_tokens is missing")]
    public void Open_PartThatIsNotFollowed_IsNamed(string part, string value, string expected) =>
        Assert.Contains(expected, Refusal(file => file[part] = JsonNode.Parse(value)), StringComparison.Ordinal);

    // As Llama 3 has them: a word of the vocabulary is its token although no merge leads to it, and every text begins with a token.
    [Fact]
    public void Encode_IgnoreMerges_TakesWholeWordsFromTheVocabulary()
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        file["model"]!["vocab"]!["ba"] = 12;
        file["model"]!["vocab"]!["Ġba"] = 13;
        Assert.Equal([1, 0, 4, 1, 5], TokenizerFile.Open(Write(file.ToJsonString())).Encode("ba bab"));

        file["model"]!["ignore_merges"] = true;

        Assert.Equal([12, 13, 4, 1, 5], TokenizerFile.Open(Write(file.ToJsonString())).Encode("ba ba bab"));
        Assert.Equal([5, 9, 12], TokenizerFile.Open(Write(file.ToJsonString())).Encode("ab<|end|>ba"));
    }

    [Fact]
    public void Encode_TokenBeforeEveryText_StandsThere()
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        file["post_processor"] = JsonNode.Parse("""
            { "type": "Sequence", "processors": [
              { "type": "ByteLevel", "trim_offsets": false },
              { "type": "TemplateProcessing", "single": [{ "SpecialToken": { "id": "<|end|>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } }],
                "special_tokens": { "<|end|>": { "id": "<|end|>", "ids": [9], "tokens": ["<|end|>"] } } }] }
            """);

        Assert.Equal([9, 5], TokenizerFile.Open(Write(file.ToJsonString())).Encode("ab"));
    }

    // What one step leaves whole, the next one cuts: nothing is merged across what the words of ByteLevel keep apart.
    [Fact]
    public void Encode_StepsInARow_EachCutsThePiecesOfTheOneBefore()
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        file["model"]!["vocab"]!["bĠ"] = 12;
        file["model"]!["merges"]!.AsArray().Insert(0, (JsonNode)"b Ġ");

        Assert.Equal([5, 6], TokenizerFile.Open(Write(file.ToJsonString())).Encode("ab ab"));
    }

    [Fact]
    public void Encode_UnknownByte_IsTheUnknownToken()
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        file["model"]!["unk_token"] = "<|end|>";

        Assert.Equal([0, 9, 1], TokenizerFile.Open(Write(file.ToJsonString())).Encode("azb"));
    }

    // Keys as GPT-2, Llama 3, Qwen2 and SmolLM2 ship them that change nothing here.
    [Fact]
    public void Open_SettingsThatChangeNothing_AreTaken()
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        file["version"] = "1.0";
        file["truncation"] = JsonNode.Parse("""{ "direction": "Right", "max_length": 512, "strategy": "LongestFirst", "stride": 0 }""");
        file["padding"] = null;
        file["added_tokens"]![0]!["normalized"] = true;
        file["added_tokens"]![0]!["lstrip"] = false;
        file["normalizer"] = JsonNode.Parse("""{ "type": "NFC" }""");
        file["post_processor"] = JsonNode.Parse("""{ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false }""");
        file["decoder"] = JsonNode.Parse("""{ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true }""");
        foreach (string key in new[] { "continuing_subword_prefix", "end_of_word_suffix", "unk_token" })
        {
            file["model"]![key] = "";
        }

        file["model"]!["dropout"] = null;
        file["model"]!["fuse_unk"] = false;
        file["model"]!["ignore_merges"] = false;

        Assert.Equal([5, 6], TokenizerFile.Open(Write(file.ToJsonString())).Encode("ab ab"));
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

    private string Refusal(Action<JsonObject> change)
    {
        JsonObject file = JsonNode.Parse(File)!.AsObject();
        change(file);
        return Assert.Throws<InvalidDataException>(() => TokenizerFile.Open(Write(file.ToJsonString()))).Message;
    }

    private string Write(string content)
    {
        string path = Path.Combine(_folder.FullName, "tokenizer.json");
        System.IO.File.WriteAllText(path, content);
        return path;
    }
}
