using Federated.Shared.Models;

namespace Federated.Training;

/// <summary>What one example of a source is made of, or what a model takes. Compares by value.</summary>
/// <param name="FeatureType">float32 for numbers, int64 for tokens.</param>
/// <param name="FeatureLength">Elements of its features, at least 1.</param>
/// <param name="LabelType">int64 for classes and tokens, float32 for numbers.</param>
/// <param name="LabelLength">Elements of its label, at least 1.</param>
public readonly record struct ExampleFormat(ElementType FeatureType, int FeatureLength, ElementType LabelType, int LabelLength)
{
    /// <summary>Numbers with one class an example.</summary>
    public static ExampleFormat Classified(int featureLength) => new(ElementType.Float32, featureLength, ElementType.Int64, 1);

    /// <summary>What the model of a package takes.</summary>
    public static ExampleFormat Of(PackageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return new ExampleFormat(manifest.Input.ElementType, manifest.FeatureLength, manifest.Labels.ElementType, manifest.LabelLength);
    }

    /// <summary>Demands that examples of this format fit a package.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public void Demand(PackageManifest manifest)
    {
        ExampleFormat wanted = Of(manifest);
        if (this != wanted)
        {
            throw new ArgumentException(
                $"The examples have {this}, model '{manifest.Name}' takes {wanted} (features [{string.Join(", ", manifest.Input.Shape)}], "
                + $"labels [{string.Join(", ", manifest.Labels.Shape)}]). Point the client at the data this model was made for.");
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{FeatureLength} {Text(FeatureType)} features and {LabelLength} {Text(LabelType)} label{(LabelLength == 1 ? "" : "s")}";

    private static string Text(ElementType type) => type == ElementType.Float32 ? "float32" : "int64";
}
