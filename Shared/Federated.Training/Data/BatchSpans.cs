using Federated.Shared.Models;

namespace Federated.Training.Data;

/// <summary>The check that every source makes once a batch.</summary>
internal static class BatchSpans
{
    /// <summary>Refuses destinations that are not exactly as long as N examples of the format are.</summary>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public static void Check(int count, ExampleFormat format, ExampleBatch batch)
    {
        int features = format.FeatureType == ElementType.Float32 ? batch.Features.Length : batch.Tokens.Length;
        int labels = format.LabelType == ElementType.Int64 ? batch.Labels.Length : batch.Targets.Length;
        if (features != checked(count * format.FeatureLength) || labels != checked(count * format.LabelLength))
        {
            throw new ArgumentException(
                $"A batch of {count} examples fills {(long)count * format.FeatureLength} features and {(long)count * format.LabelLength} labels; "
                + $"the destinations have {features} and {labels}.");
        }
    }
}
