using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Federated.Modeling.Lora;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Modeling.Exports;

/// <summary>
/// A LoRA adapter as PEFT's <c>save_pretrained</c> writes it (huggingface.co/docs/peft, "PEFT checkpoint format"; keys of <c>LoraConfig</c> in version 0.15):
/// factors are called <c>base_model.model.LAYER.lora_A.weight</c> [r, n] and <c>….lora_B.weight</c> [m, r], those of convolutions have their kernels' dimensions
/// behind, and modules that are saved whole keep their names behind the prefix.
/// </summary>
/// <param name="Settings">Rank, alpha and layers.</param>
/// <param name="Tensors">The tensors, under their names in the model.</param>
public sealed record PeftAdapter(PackageLora Settings, IReadOnlyList<NamedTensor> Tensors)
{
    /// <summary>The file of tensors.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    /// <summary>The file of settings.</summary>
    public const string ConfigFile = "adapter_config.json";

    private const string Prefix = "base_model.model.";
    private const string TargetsKey = "target_modules";
    private const string BiasSuffix = ".bias";
    private const string WrappedBiasSuffix = ".base_layer.bias";

    // Values of LoraConfig's key "bias": whether the biases of adapted layers are trained, too.
    private const string NoBiases = "none";
    private const string LoraBiases = "lora_only";

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The two files of an adapter.</summary>
    /// <param name="manifest">The package.</param>
    /// <param name="adapter">[P], P = manifest.Layout.Length.</param>
    /// <param name="metadata">Texts for the header of the tensors' file beside the one that PEFT writes; null for none.</param>
    /// <exception cref="ArgumentException">The package has no low-rank changes.</exception>
    public static (byte[] Weights, byte[] Config) Write(PackageManifest manifest, ReadOnlyMemory<float> adapter, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        PackageLora lora = manifest.Lora
            ?? throw new ArgumentException($"Package '{manifest.Name}' trains whole weights; PEFT holds low-rank factors. Export it as onnx or safetensors.");

        if (manifest.Parameters.Any(p => p.Lora?.Factor == LoraMatrix.Base))
        {
            throw new ArgumentException(
                $"The changes of package '{manifest.Name}' were merged into its base weights, as the rule flora does; its factors hold none of them. Export it as onnx or safetensors.");
        }

        string[] layers = [.. manifest.Parameters.Select(p => p.Lora?.Target).OfType<string>().Distinct()];

        // A layer that has factors is wrapped, and what it had before is its base layer's.
        IReadOnlyList<NamedTensor> tensors = [.. AdapterTensors.Of(manifest, adapter).Select(t => t with
        {
            Name = Prefix + (t.Name.EndsWith(BiasSuffix, StringComparison.Ordinal) && layers.Contains(Module(t.Name)) ? $"{Module(t.Name)}{WrappedBiasSuffix}" : t.Name),
        })];
        ILookup<bool, string> others = manifest.Parameters
            .Where(p => p.Lora is null).ToLookup(p => p.Name.EndsWith(BiasSuffix, StringComparison.Ordinal) && layers.Contains(Module(p.Name)), p => Module(p.Name));
        string[] whole = [.. others[false].Distinct()];

        // Keys in the order of their names, as PEFT sorts them.
        JsonObject config = new()
        {
            ["alpha_pattern"] = new JsonObject(),
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = manifest.Provenance?.SourceFile ?? manifest.Name,
            ["bias"] = others[true].Any() ? LoraBiases : NoBiases,
            ["corda_config"] = null,
            ["eva_config"] = null,
            ["exclude_modules"] = null,
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["layer_replication"] = null,
            ["layers_pattern"] = null,
            ["layers_to_transform"] = null,
            ["loftq_config"] = new JsonObject(),
            ["lora_alpha"] = lora.Alpha == Math.Floor(lora.Alpha) ? JsonValue.Create((long)lora.Alpha) : JsonValue.Create(lora.Alpha),
            ["lora_bias"] = false,
            ["lora_dropout"] = 0.0,
            ["megatron_config"] = null,
            ["megatron_core"] = "megatron.core",
            ["modules_to_save"] = whole.Length > 0 ? Texts(whole) : null,
            ["peft_type"] = "LORA",
            ["r"] = lora.Rank,
            ["rank_pattern"] = new JsonObject(),
            ["revision"] = null,
            [TargetsKey] = Texts(layers),
            ["task_type"] = manifest.Task == ModelTask.CausalLm ? "CAUSAL_LM" : null,
            ["trainable_token_indices"] = null,
            ["use_dora"] = false,
            ["use_rslora"] = false,
        };
        return (
            SafetensorsFile.Write(tensors, new Dictionary<string, string>(metadata ?? new Dictionary<string, string>()) { ["format"] = "pt" }),
            JsonSerializer.SerializeToUtf8Bytes(config, _indented));
    }

    /// <summary>Reads a folder with both files.</summary>
    /// <exception cref="InvalidDataException">A file is missing or cannot be read, or the adapter is of a kind that is not supported.</exception>
    public static PeftAdapter ReadFolder(string folder)
    {
        foreach (string file in new[] { ConfigFile, WeightsFile })
        {
            if (!File.Exists(Path.Combine(folder, file)))
            {
                throw new InvalidDataException($"'{folder}' holds no {file}, which PEFT's save_pretrained writes.");
            }
        }

        return Read(File.ReadAllBytes(Path.Combine(folder, WeightsFile)), File.ReadAllBytes(Path.Combine(folder, ConfigFile)));
    }

    /// <summary>Reads both files.</summary>
    /// <exception cref="InvalidDataException">A file cannot be read, or the adapter is of a kind that is not supported; the message names the key.</exception>
    public static PeftAdapter Read(ReadOnlyMemory<byte> weights, ReadOnlySpan<byte> config)
    {
        PackageLora settings;
        try
        {
            settings = SettingsOf(RequiredKey.Root(JsonNode.Parse(config)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{ConfigFile} cannot be read: {e.Message}", e);
        }

        List<NamedTensor> tensors = [];
        foreach (NamedTensor tensor in SafetensorsFile.Read(weights))
        {
            tensors.Add(tensor.Name.StartsWith(Prefix, StringComparison.Ordinal)
                ? tensor with { Name = tensor.Name[Prefix.Length..].Replace(WrappedBiasSuffix, BiasSuffix, StringComparison.Ordinal) }
                : throw new InvalidDataException($"{WeightsFile} holds '{tensor.Name}'; PEFT's names begin with '{Prefix}'."));
        }

        return new PeftAdapter(settings, tensors);
    }

    /// <summary>The package with this adapter in the place of its initial one.</summary>
    /// <exception cref="InvalidDataException">The adapter is another model's: rank, alpha, or a tensor's name or shape.</exception>
    public ModelPackage Into(ModelPackage package)
    {
        ArgumentNullException.ThrowIfNull(package);
        if (package.Manifest.Lora is not { } lora || lora.Rank != Settings.Rank || lora.Alpha != Settings.Alpha)
        {
            throw new InvalidDataException(
                $"The adapter has rank {Settings.Rank} and alpha {Settings.Alpha}, package '{package.Manifest.Name}' has {package.Manifest.Lora?.Rank ?? 0} and {package.Manifest.Lora?.Alpha ?? 0}.");
        }

        float[] adapter = AdapterTensors.ToAdapter(package.Manifest, Tensors);
        PackageFile? file = package.Manifest.Adapter is null ? null : PackageFile.Of(AdapterDocument.ToBytes(0, adapter));
        return package with { InitialAdapter = adapter, Manifest = package.Manifest with { Adapter = file } };
    }

    private static PackageLora SettingsOf(JsonObject config)
    {
        Require(config, "peft_type", value => (string?)value == "LORA", "LORA");
        Require(config, "bias", value => value is null || (string?)value is NoBiases or LoraBiases, $"{NoBiases} or {LoraBiases}");
        Require(config, "use_dora", IsOff, "false");
        Require(config, "lora_bias", IsOff, "false");
        Require(config, "rank_pattern", value => value is null || value.AsObject().Count == 0, "empty");
        Require(config, "alpha_pattern", value => value is null || value.AsObject().Count == 0, "empty");
        Require(config, "layer_replication", value => value is null, "null");
        foreach (string choice in new[] { "exclude_modules", "layers_pattern", "layers_to_transform" })
        {
            Require(config, choice, ChoosesNothing, "null");
        }

        int rank = RequiredKey.Of<int>(config, "r");

        // Rank-stabilized: scaled by α / √r (Kalajdzievski 2023, arXiv 2312.03732).
        double alpha = RequiredKey.Of<double>(config, "lora_alpha") * (IsOff(config["use_rslora"]) ? 1 : Math.Sqrt(rank));
        return rank is >= 1 and <= LoraInjection.MaxRank
            ? new PackageLora(rank, alpha, Targets(config), 1)
            : throw new FormatException($"r is {rank}; 1 to {LoraInjection.MaxRank} is supported");
    }

    /// <summary>A text is matched against a whole name, a list's members against a name or its end after a dot.</summary>
    private static string Targets(JsonObject config) => config[TargetsKey] switch
    {
        JsonArray { Count: > 0 } => $"(?:^|\\.)(?:{string.Join('|', RequiredKey.AllOf<string>(config, TargetsKey).Select(Regex.Escape))})$",
        JsonValue => $"^(?:{RequiredKey.Of<string>(config, TargetsKey)})$",
        _ => throw new FormatException($"{TargetsKey} is missing or empty"),
    };

    /// <summary>Whether a key that narrows the layers down is null or empty; layers are chosen by target_modules alone.</summary>
    private static bool ChoosesNothing(JsonNode? value) =>
        value is null or JsonArray { Count: 0 } || (value is JsonValue text && text.TryGetValue(out string? expression) && expression.Length == 0);

    private static bool IsOff(JsonNode? value) => value is null || !(bool)value;

    private static void Require(JsonObject config, string key, Func<JsonNode?, bool> holds, string supported)
    {
        if (!holds(config[key]))
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{key} is {config[key]?.ToJsonString() ?? "missing"}; {supported} is supported"));
        }
    }

    private static string Module(string parameter) => parameter.LastIndexOf('.') is > 0 and int dot ? parameter[..dot] : parameter;

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);
}
