using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Federated.Modeling;
using Microsoft.ML.Tokenizers;

namespace Federated.Server.Generation;

/// <summary>
/// Reads the tokenizers that published models come with: <c>tokenizer.model</c> of SentencePiece (Llama 1 and 2, Mistral) and byte-level BPE in
/// <c>tokenizer.json</c> (GPT-2, Llama 3, SmolLM, Qwen), or in <c>vocab.json</c> with <c>merges.txt</c>.
/// </summary>
internal static partial class TokenizerFile
{
    private const string SentencePiece = "tokenizer.model";
    private const string Json = "tokenizer.json";

    // The words of GPT-2, which a ByteLevel pre-tokenizer cuts a text into unless told otherwise.
    [GeneratedRegex(@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Words();

    [GeneratedRegex(@"\p{N}|[^\p{N}]+")]
    private static partial Regex SingleDigits();

    [GeneratedRegex(@"\p{N}+|[^\p{N}]+")]
    private static partial Regex Digits();

    /// <summary>Opens a file, or the folder of a model.</summary>
    /// <exception cref="InvalidDataException">It is none of the kinds above; the message names what is not supported.</exception>
    public static ITextTokens Open(string path)
    {
        if (Directory.Exists(path))
        {
            string[] names = [SentencePiece, Json, "vocab.json"];
            path = names.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists)
                ?? throw new InvalidDataException($"'{path}' holds none of {string.Join(", ", names)}.");
        }

        if (!File.Exists(path))
        {
            throw new InvalidDataException($"--tokenizer: there is no file '{path}'.");
        }

        try
        {
            using FileStream file = File.OpenRead(path);
            return new FileTokens(Path.GetExtension(path) == ".model" ? SentencePieceTokenizer.Create(file)
                : Path.GetFileName(path) == "vocab.json" ? Pair(path)
                : ByteLevel(RequiredKey.Root(JsonNode.Parse(file))));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"The tokenizer '{path}' cannot be read: {e.Message}", e);
        }
    }

    private static BpeTokenizer Pair(string vocabulary) => BpeTokenizer.Create(
        new BpeOptions(vocabulary, Path.Combine(Path.GetDirectoryName(vocabulary)!, "merges.txt")) { ByteLevel = true, PreTokenizer = new RegexPreTokenizer(Words(), null) });

    private static BpeTokenizer ByteLevel(JsonObject file)
    {
        JsonObject model = RequiredKey.Of<JsonObject>(file, "model");
        Require("model.type", (string?)model["type"] ?? "BPE", "BPE");
        Require("model.byte_fallback", ((bool?)model["byte_fallback"] ?? false).ToString(), bool.FalseString);

        // NFC leaves text alone that is composed already, as keyboards give it; this program has no tables to compose with.
        Require("normalizer", (string?)file["normalizer"]?["type"] ?? "none", "none", "NFC");
        IReadOnlyList<JsonObject> added = file["added_tokens"] is null ? [] : RequiredKey.AllOf<JsonObject>(file, "added_tokens");
        Dictionary<string, int> special = added.ToDictionary(t => RequiredKey.Of<string>(t, "content"), t => RequiredKey.Of<int>(t, "id"), StringComparer.Ordinal);
        JsonObject vocabulary = RequiredKey.Of<JsonObject>(model, "vocab");
        BpeOptions options = new(vocabulary.Select(entry => KeyValuePair.Create(entry.Key, RequiredKey.Of<int>(vocabulary, entry.Key))))
        {
            Merges = RequiredKey.AllOf<JsonNode>(model, "merges").Select(m => m is JsonArray pair ? $"{(string)pair[0]!} {(string)pair[1]!}" : (string)m!),
            SpecialTokens = special.Count == 0 ? null : special,
            PreTokenizer = Splits(RequiredKey.Of<JsonObject>(file, "pre_tokenizer"), special),
            ByteLevel = true,
        };
        return BpeTokenizer.Create(options);
    }

    private static PreTokenizer Splits(JsonObject node, Dictionary<string, int> special)
    {
        IReadOnlyList<JsonObject> steps = (string?)node["type"] == "Sequence" ? RequiredKey.AllOf<JsonObject>(node, "pretokenizers") : [node];
        Require("the last of pre_tokenizer", steps is [.., JsonObject last] ? (string?)last["type"] ?? "none" : "none", "ByteLevel");
        List<PreTokenizer> splits = [];
        foreach (JsonObject step in steps)
        {
            string type = RequiredKey.Of<string>(step, "type");
            Require("pre_tokenizer.type", type, "Split", "Digits", "ByteLevel");
            if (type == "Split")
            {
                Require("pre_tokenizer.behavior", (string?)step["behavior"] ?? "none", "Isolated");
                Require("pre_tokenizer.invert", ((bool?)step["invert"] ?? false).ToString(), bool.FalseString);
                JsonObject pattern = RequiredKey.Of<JsonObject>(step, "pattern");
                Require("pre_tokenizer.pattern", pattern.Select(kind => kind.Key).FirstOrDefault() ?? "none", "Regex");
                splits.Add(new RegexPreTokenizer(new Regex(RequiredKey.Of<string>(pattern, "Regex"), RegexOptions.None, TimeSpan.FromSeconds(1)), special));
            }
            else if (type == "Digits")
            {
                splits.Add(new RegexPreTokenizer((bool?)step["individual_digits"] ?? false ? SingleDigits() : Digits(), special));
            }
            else
            {
                Require("pre_tokenizer.add_prefix_space", ((bool?)step["add_prefix_space"] ?? false).ToString(), bool.FalseString);
                if ((bool?)step["use_regex"] ?? true)
                {
                    splits.Add(new RegexPreTokenizer(Words(), special));
                }
            }
        }

        return splits.Count == 1 ? splits[0] : new CompositePreTokenizer(splits, special);
    }

    private static void Require(string key, string value, params string[] allowed)
    {
        if (!allowed.Contains(value))
        {
            throw new InvalidDataException($"{Json} has {key} = {value}; supported is {string.Join(" or ", allowed)}. If the model has a {SentencePiece}, give that.");
        }
    }

    private sealed class FileTokens(Tokenizer tokenizer) : ITextTokens
    {
        public IReadOnlyList<int> Encode(string text) => tokenizer.EncodeToIds(text);

        public string Decode(IEnumerable<int> tokens) => tokenizer.Decode(tokens) ?? "";
    }
}
