using Federated.Shared.Models;

namespace Federated.Modeling.Exports;

/// <summary>An adapter as named tensors, for other software.</summary>
public static class AdapterTensors
{
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
    /// <exception cref="InvalidDataException">A tensor is missing, has another shape, holds a value that is not finite, or is none of the package's.</exception>
    public static float[] ToAdapter(PackageManifest manifest, IReadOnlyList<NamedTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        Dictionary<string, NamedTensor> byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        float[] adapter = new float[manifest.Layout.Length];
        foreach (ParameterSpec parameter in manifest.Layout.Parameters)
        {
            if (!byName.TryGetValue(parameter.Name, out NamedTensor? tensor))
            {
                throw new InvalidDataException($"There is no tensor '{parameter.Name}'; package '{manifest.Name}' needs it.");
            }

            if (!tensor.Shape.SequenceEqual(parameter.Shape))
            {
                throw new InvalidDataException(
                    $"Tensor '{parameter.Name}' has shape [{string.Join(", ", tensor.Shape)}], package '{manifest.Name}' wants [{string.Join(", ", parameter.Shape)}].");
            }

            if (!tensor.IsFinite)
            {
                throw new InvalidDataException($"Tensor '{parameter.Name}' holds values that are not finite; training cannot start from them.");
            }

            tensor.Values.Span.CopyTo(adapter.AsSpan(parameter.Offset));
            _ = byName.Remove(parameter.Name);
        }

        if (byName.Count > 0)
        {
            throw new InvalidDataException($"The tensors {string.Join(", ", byName.Keys.Take(10))} have no place in package '{manifest.Name}'.");
        }

        return adapter;
    }
}
