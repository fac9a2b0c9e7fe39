namespace Federated.Training.Data;

/// <summary>The check that every source makes once a batch.</summary>
internal static class BatchSpans
{
    /// <summary>Refuses destinations that are not exactly [N · featureLength] and [N].</summary>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public static void Check(int count, int featureLength, int features, int labels)
    {
        if (features != checked(count * featureLength) || labels != count)
        {
            throw new ArgumentException(
                $"A batch of {count} examples fills {(long)count * featureLength} features and {count} labels; "
                + $"the destinations have {features} and {labels}.");
        }
    }
}
