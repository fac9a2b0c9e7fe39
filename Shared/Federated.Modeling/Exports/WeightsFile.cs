using Federated.Shared.Models;

namespace Federated.Modeling.Exports;

/// <summary>The weights of a whole model in a safetensors file, a tensor for each parameter under its name: what jobs start from.</summary>
public static class WeightsFile
{
    /// <summary>Encodes an adapter.</summary>
    /// <param name="layout">Of the model trained as a whole.</param>
    /// <param name="adapter">[P].</param>
    /// <param name="half">Whether values are rounded to 16 bits.</param>
    /// <param name="metadata">Texts for the file's header; null for none.</param>
    public static byte[] Write(ParameterLayout layout, ReadOnlyMemory<float> adapter, bool half, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return SafetensorsFile.Write(
            [.. layout.Parameters.Select(p => new NamedTensor(p.Name, p.Shape, adapter.Slice(p.Offset, p.Length)))], metadata, half);
    }

    /// <summary>Reads the adapter of a layout; the order of the tensors in the file does not matter.</summary>
    /// <exception cref="InvalidDataException">The file does not hold exactly the layout's tensors; the message names those that are missing, too many, of another shape or not finite.</exception>
    public static float[] Read(ReadOnlyMemory<byte> file, ParameterLayout layout) => Assemble(SafetensorsFile.Read(file), layout);

    /// <summary>The adapter of a layout from tensors in any order.</summary>
    /// <exception cref="InvalidDataException">They are not exactly the layout's; the message names those that are missing, too many, of another shape or not finite.</exception>
    public static float[] Assemble(IReadOnlyList<NamedTensor> read, ParameterLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        Dictionary<string, NamedTensor> tensors = read.GroupBy(t => t.Name, StringComparer.Ordinal).ToDictionary(
            t => t.Key, t => t.Count() == 1 ? t.First() : throw new InvalidDataException($"The weights hold '{t.Key}' {t.Count()} times."), StringComparer.Ordinal);
        float[] adapter = new float[layout.Length];
        List<string> problems = [];
        foreach (ParameterSpec parameter in layout.Parameters)
        {
            if (!tensors.Remove(parameter.Name, out NamedTensor? tensor))
            {
                problems.Add($"{parameter.Name} is missing");
            }
            else if (!tensor.Shape.SequenceEqual(parameter.Shape))
            {
                problems.Add($"{parameter.Name} has shape [{string.Join(", ", tensor.Shape)}] where the model has [{string.Join(", ", parameter.Shape)}]");
            }
            else if (!tensor.IsFinite)
            {
                problems.Add($"{parameter.Name} holds values that are not finite");
            }
            else
            {
                tensor.Values.Span.CopyTo(adapter.AsSpan(parameter.Offset));
            }
        }

        problems.AddRange(tensors.Keys.Select(name => $"{name} is no tensor of the model"));
        return problems.Count == 0
            ? adapter
            : throw new InvalidDataException($"The weights are not those of the model: {string.Join("; ", problems.Take(8))}{(problems.Count > 8 ? $"; and {problems.Count - 8} more" : "")}.");
    }
}
