namespace Federated.Server.Jobs;

/// <summary>Finds the known name that a misspelt one was probably meant to be.</summary>
public static class NearestName
{
    /// <summary>
    /// The name with the least edit distance (Levenshtein 1966), case ignored; null when even that one differs in more than a third of
    /// its characters (at least two).
    /// </summary>
    public static string? Find(string written, IEnumerable<string> known)
    {
        (string Name, int Distance)[] ranked = [.. known.Select(name => (Name: name, Distance: Distance(written, name))).OrderBy(pair => pair.Distance).Take(1)];
        return ranked.Length == 1 && ranked[0].Distance <= Math.Max(2, ranked[0].Name.Length / 3) ? ranked[0].Name : null;
    }

    private static int Distance(string left, string right)
    {
        int[] previous = [.. Enumerable.Range(0, right.Length + 1)];
        int[] current = new int[right.Length + 1];
        for (int i = 1; i <= left.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int change = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + change);
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }
}
