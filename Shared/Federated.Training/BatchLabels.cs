using Federated.Shared.Models;

namespace Federated.Training;

/// <summary>The check every engine makes of a batch's labels, and what it counts of them.</summary>
public static class BatchLabels
{
    /// <summary>What of a batch the loss is the mean over and the score the sum over.</summary>
    /// <param name="manifest">The model.</param>
    /// <param name="indices">The examples: [N].</param>
    /// <param name="labels">Their int64 labels: [N · LabelLength]; empty for a model with float32 labels.</param>
    /// <returns>Labels of a class; N · LabelLength numbers of a regression; N vectors of an embedding.</returns>
    /// <exception cref="InvalidDataException">A label is none of the model's classes. Only next-token labels may be negative: such a position is not counted.</exception>
    public static long Count(PackageManifest manifest, ReadOnlySpan<int> indices, ReadOnlySpan<long> labels)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Labels.Classes is not { } classes)
        {
            return manifest.Task == ModelTask.Embedding ? indices.Length : (long)indices.Length * manifest.LabelLength;
        }

        bool mayIgnore = manifest.Task == ModelTask.CausalLm;
        long counted = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            long label = labels[i];
            if (label >= classes || (label < 0 && !mayIgnore))
            {
                throw new InvalidDataException(
                    $"Example {indices[i / (labels.Length / indices.Length)]} has label {label}, model '{manifest.Name}' knows {classes} classes "
                    + $"(0 to {classes - 1}). Correct the label or train a model with more classes.");
            }

            counted += label < 0 ? 0 : 1;
        }

        return counted;
    }
}
