using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Modeling.Exports;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;

namespace Federated.Modeling.Imports;

/// <summary>
/// A published model of the Llama family as Hugging Face's <c>save_pretrained</c> writes it: <c>config.json</c> with <c>model.safetensors</c>, or with shards that
/// <c>model.safetensors.index.json</c> lists. Keys and names are those of <c>LlamaConfig</c>, <c>MistralConfig</c>, <c>MixtralConfig</c> and their models
/// (huggingface.co/docs/transformers, "Llama", "Mistral", "Mixtral"). What the builder <c>gpt</c> cannot compute is refused by the key's name.
/// </summary>
/// <param name="Sizes">The decoder, with the context that was asked for.</param>
/// <param name="Weights">The parameters of the decoder trained as a whole, in the order of its layout.</param>
/// <param name="Provenance">Where it came from.</param>
internal sealed record LlamaFolder(GptSpec Sizes, float[] Weights, PackageProvenance Provenance)
{
    /// <summary>The file of sizes.</summary>
    public const string ConfigFile = "config.json";

    private const string WeightsName = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    // Buffers that old checkpoints hold, and that the builder computes.
    private const string OldFrequencies = ".rotary_emb.inv_freq";

    /// <summary>Reads a folder.</summary>
    /// <param name="folder">Its path.</param>
    /// <param name="context">Tokens an example of training has; at most what the model was made for.</param>
    /// <exception cref="InvalidDataException">A file is missing, or the model is not of the family; the message names the key or the tensors.</exception>
    /// <exception cref="ArgumentException">The context is longer than the model's.</exception>
    public static LlamaFolder Read(string folder, int context)
    {
        string path = Path.Combine(folder, ConfigFile);
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"'{folder}' holds no {ConfigFile}; a published model is a folder with {ConfigFile} and {WeightsName}.");
        }

        GptSpec sizes;
        string producer;
        try
        {
            JsonObject config = RequiredKey.Root(JsonNode.Parse(File.ReadAllBytes(path)));
            sizes = SizesOf(config, context);
            producer = $"transformers {(string?)config["transformers_version"] ?? "of unknown version"}, {(string?)config["model_type"]}";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"'{path}' cannot be read: {e.Message}", e);
        }

        List<NamedTensor> tensors = [];
        List<byte> hashes = [];
        foreach (string file in Files(folder))
        {
            byte[] content = Content(folder, file);
            hashes.AddRange(ContentHash.Of(content).Hex.Select(c => (byte)c));
            tensors.AddRange(SafetensorsFile.Read(content).Where(t => !t.Name.EndsWith(OldFrequencies, StringComparison.Ordinal)));
        }

        if (sizes.TiedEmbedding)
        {
            tensors.RemoveAll(t => t.Name == "lm_head.weight");
        }

        ParameterLayout layout = ModelBuilders.Build(new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = sizes }).Layout;
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        return new LlamaFolder(
            sizes, WeightsFile.Assemble(tensors, layout), new PackageProvenance(name, ContentHash.Of(hashes.ToArray()).Hex, producer, Onnx.OnnxFile.WrittenOperatorSet));
    }

    private static GptSpec SizesOf(JsonObject config, int context)
    {
        string family = (string?)config["model_type"] ?? "missing";
        Require("model_type", family, family is "llama" or "mistral" or "mixtral", "llama, mistral or mixtral");
        Require("hidden_act", (string?)config["hidden_act"] ?? "silu", (string?)config["hidden_act"] is null or "silu" or "swish", "silu");
        foreach (string bias in new[] { "attention_bias", "mlp_bias" })
        {
            Require(bias, true, !((bool?)config[bias] ?? false), "false");
        }

        // Version 5 of the library moved the rotary settings into one object.
        JsonNode? rotary = config["rope_parameters"];
        JsonNode? scaling = rotary ?? config["rope_scaling"];
        string kind = (string?)scaling?["rope_type"] ?? (string?)scaling?["type"] ?? "default";
        Require("rope_scaling", kind, kind == "default", "null or default");
        int heads = RequiredKey.Of<int>(config, "num_attention_heads");
        int width = RequiredKey.Of<int>(config, "hidden_size");
        int? headWidth = (int?)config["head_dim"];
        Require("head_dim", headWidth ?? 0, headWidth is null || headWidth * heads == width, $"hidden_size / num_attention_heads = {width} / {heads}");
        int longest = (int?)config["max_position_embeddings"] ?? context;
        if (context < 1 || context > longest)
        {
            throw new ArgumentException($"--input-shape is {context}; the model takes 1 to {longest} tokens (max_position_embeddings).", nameof(context));
        }

        int? window = (int?)config["sliding_window"];
        bool experts = family == "mixtral";
        return new GptSpec
        {
            Vocabulary = RequiredKey.Of<int>(config, "vocab_size"),
            Context = context,
            Width = width,
            Layers = RequiredKey.Of<int>(config, "num_hidden_layers"),
            Heads = heads,
            KeyValueHeads = (int?)config["num_key_value_heads"] ?? heads,
            FeedForward = RequiredKey.Of<int>(config, "intermediate_size"),
            Window = window < context ? window : null,
            Experts = experts ? RequiredKey.Of<int>(config, "num_local_experts") : 1,
            ActiveExperts = experts ? RequiredKey.Of<int>(config, "num_experts_per_tok") : 1,
            RotaryBase = (double?)rotary?["rope_theta"] ?? (double?)config["rope_theta"] ?? (experts ? 1e6 : 10_000),
            NormEpsilon = (double?)config["rms_norm_eps"] ?? (experts ? 1e-5 : 1e-6),
            TiedEmbedding = (bool?)config["tie_word_embeddings"] ?? false,
        };
    }

    private static IReadOnlyList<string> Files(string folder)
    {
        string index = Path.Combine(folder, IndexFile);
        if (!File.Exists(index))
        {
            return [WeightsName];
        }

        try
        {
            JsonObject map = RequiredKey.Of<JsonObject>(RequiredKey.Root(JsonNode.Parse(File.ReadAllBytes(index))), "weight_map");
            return [.. map.Select(entry => RequiredKey.Of<string>(map, entry.Key)).Distinct().Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"'{index}' cannot be read: {e.Message}", e);
        }
    }

    private static byte[] Content(string folder, string file)
    {
        string path = Path.Combine(folder, file);
        if (Path.GetFileName(file) != file || !File.Exists(path))
        {
            throw new InvalidDataException($"'{folder}' holds no '{file}'. Weights are read as safetensors only, from the folder itself.");
        }

        long length = new FileInfo(path).Length;
        return length <= Array.MaxLength
            ? File.ReadAllBytes(path)
            : throw new InvalidDataException($"'{path}' has {length} bytes; {Array.MaxLength} are supported. Save the model with max_shard_size=\"1GB\".");
    }

    private static void Require(string key, object value, bool holds, string allowed)
    {
        if (!holds)
        {
            throw new InvalidDataException($"{ConfigFile} has {key} = {value}; supported is {allowed}.");
        }
    }
}
