using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
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
                : ByteLevel(JsonNode.Parse(file)!.AsObject()));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"The tokenizer '{path}' cannot be read: {e.Message}", e);
        }
    }

    private static BpeTokenizer Pair(string vocabulary) => BpeTokenizer.Create(
        new BpeOptions(vocabulary, Path.Combine(Path.GetDirectoryName(vocabulary)!, "merges.txt")) { ByteLevel = true, PreTokenizer = new RegexPreTokenizer(Words(), null) });

    private static BpeTokenizer ByteLevel(JsonObject file)
    {
        JsonObject model = file["model"]!.AsObject();
        Require("model.type", (string?)model["type"] ?? "BPE", "BPE");
        Require("model.byte_fallback", ((bool?)model["byte_fallback"] ?? false).ToString(), bool.FalseString);
        Require("normalizer", (string?)file["normalizer"]?["type"] ?? "none", "none", "NFC");
        Dictionary<string, int> special = (file["added_tokens"]?.AsArray() ?? [])
            .ToDictionary(t => (string)t!["content"]!, t => (int)t!["id"]!, StringComparer.Ordinal);
        BpeOptions options = new(model["vocab"]!.AsObject().Select(entry => KeyValuePair.Create(entry.Key, (int)entry.Value!)))
        {
            Merges = model["merges"]!.AsArray().Select(m => m is JsonArray pair ? $"{(string)pair[0]!} {(string)pair[1]!}" : (string)m!),
            SpecialTokens = special.Count == 0 ? null : special,
            PreTokenizer = Splits(file["pre_tokenizer"]!.AsObject(), special),
            ByteLevel = true,
        };
        return BpeTokenizer.Create(options);
    }

    private static PreTokenizer Splits(JsonObject node, Dictionary<string, int> special)
    {
        JsonNode?[] steps = (string?)node["type"] == "Sequence" ? [.. node["pretokenizers"]!.AsArray()] : [node];
        Require("the last of pre_tokenizer", (string?)steps[^1]!["type"] ?? "none", "ByteLevel");
        List<PreTokenizer> splits = [];
        foreach (JsonNode? step in steps)
        {
            string type = (string)step!["type"]!;
            Require("pre_tokenizer.type", type, "Split", "Digits", "ByteLevel");
            if (type == "Split")
            {
                Require("pre_tokenizer.behavior", (string)step["behavior"]!, "Isolated");
                splits.Add(new RegexPreTokenizer(new Regex((string)step["pattern"]!["Regex"]!, RegexOptions.None, TimeSpan.FromSeconds(1)), special));
            }
            else if (type == "Digits")
            {
                splits.Add(new RegexPreTokenizer((bool?)step["individual_digits"] ?? false ? SingleDigits() : Digits(), special));
            }
            else if ((bool?)step["use_regex"] ?? true)
            {
                splits.Add(new RegexPreTokenizer(Words(), special));
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
