using System.Collections.Immutable;
using System.Globalization;
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
    private const string Bytes = "ByteLevel";
    private const string Template = "TemplateProcessing";

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
            return Path.GetExtension(path) == ".model" ? new FileTokens(SentencePieceTokenizer.Create(file))
                : Path.GetFileName(path) == "vocab.json" ? Pair(path)
                : ByteLevel(RequiredKey.Root(JsonNode.Parse(file)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"The tokenizer '{path}' cannot be read: {e.Message}", e);
        }
    }

    private static ByteLevelTokens Pair(string vocabulary)
    {
        BpeOptions options = new(vocabulary, Path.Combine(Path.GetDirectoryName(vocabulary)!, "merges.txt")) { ByteLevel = true };
        return new ByteLevelTokens(BpeTokenizer.Create(options), ImmutableDictionary<string, int>.Empty, [Words()]);
    }

    // Keys of the format that say nothing about the tokens of a prompt are left alone: version, and truncation and padding, which whoever calls the tokenizer sets anew.
    private static ByteLevelTokens ByteLevel(JsonObject file)
    {
        JsonObject model = RequiredKey.Of<JsonObject>(file, "model");
        Require("model.type", (string?)model["type"] ?? "BPE", "BPE");
        RequireOff(model, "byte_fallback", "model");
        RequireEmpty(model, "continuing_subword_prefix");
        RequireEmpty(model, "end_of_word_suffix");
        double dropout = (double?)model["dropout"] ?? 0;
        Require("model.dropout", dropout.ToString(CultureInfo.InvariantCulture), "0");
        Require("decoder.type", (string?)file["decoder"]?["type"] ?? "none", "none", Bytes);

        // NFC leaves text alone that is composed already, as keyboards give it; this program has no tables to compose with.
        Require("normalizer", (string?)file["normalizer"]?["type"] ?? "none", "none", "NFC");
        Dictionary<string, int> special = Special(file);
        JsonObject vocabulary = RequiredKey.Of<JsonObject>(model, "vocab");
        Dictionary<string, int> tokens = vocabulary.ToDictionary(entry => entry.Key, entry => RequiredKey.Of<int>(vocabulary, entry.Key), StringComparer.Ordinal);
        string unknown = (string?)model["unk_token"] ?? "";
        BpeOptions options = new(tokens)
        {
            Merges = RequiredKey.AllOf<JsonNode>(model, "merges").Select(m => m is JsonArray pair ? $"{(string)pair[0]!} {(string)pair[1]!}" : (string)m!),
            SpecialTokens = special.Count == 0 ? null : special,
            UnknownToken = tokens.ContainsKey(unknown) ? unknown : null,
            FuseUnknownTokens = (bool?)model["fuse_unk"] ?? false,
            ByteLevel = true,
        };
        return new ByteLevelTokens(BpeTokenizer.Create(options), special, Splits(RequiredKey.Of<JsonObject>(file, "pre_tokenizer")))
        {
            First = First(file),
            Whole = (bool?)model["ignore_merges"] ?? false ? tokens : null,
        };
    }

    /// <summary>Tokens that are cut out of a text as they stand.</summary>
    private static Dictionary<string, int> Special(JsonObject file)
    {
        IReadOnlyList<JsonObject> added = file["added_tokens"] is null ? [] : RequiredKey.AllOf<JsonObject>(file, "added_tokens");
        foreach (JsonObject token in added)
        {
            RequireOff(token, "single_word", "added_tokens");
            RequireOff(token, "lstrip", "added_tokens");
            RequireOff(token, "rstrip", "added_tokens");
        }

        return added.ToDictionary(t => RequiredKey.Of<string>(t, "content"), t => RequiredKey.Of<int>(t, "id"), StringComparer.Ordinal);
    }

    private static List<Regex> Splits(JsonObject node)
    {
        IReadOnlyList<JsonObject> steps = Steps(node, "pretokenizers");
        Require("the last of pre_tokenizer", steps is [.., JsonObject last] ? (string?)last["type"] ?? "none" : "none", Bytes);
        List<Regex> splits = [];
        foreach (JsonObject step in steps)
        {
            string type = RequiredKey.Of<string>(step, "type");
            Require("pre_tokenizer.type", type, "Split", "Digits", Bytes);
            if (type == "Split")
            {
                Require("pre_tokenizer.behavior", (string?)step["behavior"] ?? "none", "Isolated");
                RequireOff(step, "invert", "pre_tokenizer");
                JsonObject pattern = RequiredKey.Of<JsonObject>(step, "pattern");
                Require("pre_tokenizer.pattern", pattern.Select(kind => kind.Key).FirstOrDefault() ?? "none", "Regex");
                splits.Add(new Regex(RequiredKey.Of<string>(pattern, "Regex"), RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
            }
            else if (type == "Digits")
            {
                splits.Add((bool?)step["individual_digits"] ?? false ? SingleDigits() : Digits());
            }
            else
            {
                RequireOff(step, "add_prefix_space", "pre_tokenizer");
                if ((bool?)step["use_regex"] ?? true)
                {
                    splits.Add(Words());
                }
            }
        }

        return splits;
    }

    /// <summary>What a post-processor puts before a text; ByteLevel in its place changes no token.</summary>
    private static List<int> First(JsonObject file)
    {
        List<int> first = [];
        foreach (JsonObject step in file["post_processor"] is null ? [] : Steps(RequiredKey.Of<JsonObject>(file, "post_processor"), "processors"))
        {
            string type = RequiredKey.Of<string>(step, "type");
            Require("post_processor.type", type, Bytes, Template);
            if (type != Template)
            {
                continue;
            }

            bool text = false;
            foreach (JsonObject member in RequiredKey.AllOf<JsonObject>(step, "single"))
            {
                if (member["SpecialToken"] is JsonObject token)
                {
                    // The prompt is to be gone on with: what ends it has no place.
                    Require("post_processor.single", text ? "a token after the text" : "a token before it", "a token before it");
                    string name = RequiredKey.Of<string>(token, "id");
                    first.AddRange(RequiredKey.AllOf<int>(RequiredKey.Of<JsonObject>(RequiredKey.Of<JsonObject>(step, "special_tokens"), name), "ids"));
                }

                text |= member["Sequence"] is not null;
            }
        }

        return first;
    }

    private static IReadOnlyList<JsonObject> Steps(JsonObject node, string members) => (string?)node["type"] == "Sequence" ? RequiredKey.AllOf<JsonObject>(node, members) : [node];

    private static void RequireOff(JsonObject node, string key, string parent) =>
        Require($"{parent}.{key}", ((bool?)node[key] ?? false).ToString(), bool.FalseString);

    private static void RequireEmpty(JsonObject model, string key)
    {
        string text = (string?)model[key] ?? "";
        Require($"model.{key}", text.Length == 0 ? "none" : text, "none");
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
