using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Shared.Models;

namespace Federated.Modeling.Exports;

/// <summary>An adapter as named tensors, for other software.</summary>
public static class AdapterTensors
{
    private const string PeftPrefix = "base_model.model.";

    /// <summary>Every trainable tensor under its own name, in layout order.</summary>
    /// <param name="manifest">The package.</param>
    /// <param name="adapter">[P], P = manifest.Layout.Length.</param>
    public static IReadOnlyList<NamedTensor> Of(PackageManifest manifest, ReadOnlyMemory<float> adapter)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return adapter.Length == manifest.Layout.Length
            ? [.. manifest.Layout.Parameters.Select(p => new NamedTensor(p.Name, p.Shape, adapter.Slice(p.Offset, p.Length)))]
            : throw new ArgumentException($"The adapter has {adapter.Length} parameters, package '{manifest.Name}' has {manifest.Layout.Length}.", nameof(adapter));
    }

    /// <summary>The adapter that tensors of these names make.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape.</exception>
    public static float[] ToAdapter(PackageManifest manifest, IReadOnlyList<NamedTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        Dictionary<string, NamedTensor> byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        float[] adapter = new float[manifest.Layout.Length];
        foreach (ParameterSpec parameter in manifest.Layout.Parameters)
        {
            if (!byName.TryGetValue(parameter.Name, out NamedTensor? tensor) && !byName.TryGetValue(PeftPrefix + parameter.Name, out tensor))
            {
                throw new InvalidDataException($"There is no tensor '{parameter.Name}'; package '{manifest.Name}' needs it.");
            }

            if (!tensor.Shape.SequenceEqual(parameter.Shape))
            {
                throw new InvalidDataException(
                    $"Tensor '{parameter.Name}' has shape [{string.Join(", ", tensor.Shape)}], package '{manifest.Name}' wants [{string.Join(", ", parameter.Shape)}].");
            }

            tensor.Values.Span.CopyTo(adapter.AsSpan(parameter.Offset));
        }

        return adapter;
    }

    /// <summary>
    /// The two files of a PEFT adapter: <c>adapter_model.safetensors</c>, in which factors are called <c>base_model.model.NAME.lora_A.weight</c>, and
    /// <c>adapter_config.json</c>.
    /// </summary>
    /// <exception cref="ArgumentException">The package has no low-rank changes.</exception>
    public static (byte[] Weights, byte[] Config) ToPeft(PackageManifest manifest, ReadOnlyMemory<float> adapter)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        PackageLora lora = manifest.Lora
            ?? throw new ArgumentException($"Package '{manifest.Name}' trains whole weights; PEFT holds low-rank factors. Export it as onnx or safetensors.", nameof(manifest));
        IReadOnlyList<NamedTensor> tensors = [.. Of(manifest, adapter).Select(t => t with { Name = PeftPrefix + t.Name })];
        IEnumerable<string> layers = manifest.Parameters.Select(p => p.Lora?.Target).OfType<string>().Distinct();
        IEnumerable<string> whole = manifest.Parameters.Where(p => p.Lora is null).Select(p => p.Name);
        JsonObject config = new()
        {
            ["peft_type"] = "LORA",
            ["task_type"] = manifest.Task == ModelTask.CausalLm ? "CAUSAL_LM" : null,
            ["base_model_name_or_path"] = manifest.Provenance?.SourceFile ?? manifest.Name,
            ["r"] = lora.Rank,
            ["lora_alpha"] = lora.Alpha,
            ["lora_dropout"] = 0.0,
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["target_modules"] = Texts(layers),
            ["modules_to_save"] = whole.Any() ? Texts(whole) : null,
        };
        return (
            SafetensorsFile.Write(tensors, new Dictionary<string, string> { ["format"] = "pt" }),
            JsonSerializer.SerializeToUtf8Bytes(config, IndentedJson));
    }

    private static JsonSerializerOptions IndentedJson { get; } = new() { WriteIndented = true, NewLine = "\n" };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);
}
