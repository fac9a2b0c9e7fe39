namespace Federated.Training.Data;

/// <summary>The documents of a corpus as tokens, each byte one, and whose examples are whose.</summary>
/// <param name="Examples">All examples.</param>
/// <param name="Authors">The authors, in the corpus' order.</param>
/// <param name="Parts">[authors][indices of the author's examples].</param>
public sealed record CorpusExamples(TokenExamples Examples, IReadOnlyList<string> Authors, int[][] Parts)
{
    /// <summary>Cuts documents into examples.</summary>
    /// <param name="documents">At least one of two bytes.</param>
    /// <param name="length">Tokens an example.</param>
    /// <exception cref="InvalidDataException">No document has two bytes.</exception>
    public static CorpusExamples Of(IReadOnlyList<CorpusDocument> documents, int length)
    {
        ArgumentNullException.ThrowIfNull(documents);
        TokenExamples examples = TokenExamples.Of([.. documents.Select(TokensOf)], length);
        Dictionary<string, List<int>> parts = new(StringComparer.Ordinal);
        int next = 0;
        foreach (CorpusDocument document in documents)
        {
            int count = (Math.Max(document.Text.Length - 1, 0) + length - 1) / length;
            if (!parts.TryGetValue(document.Author, out List<int>? part))
            {
                parts.Add(document.Author, part = []);
            }

            part.AddRange(Enumerable.Range(next, count));
            next += count;
        }

        return new CorpusExamples(examples, [.. parts.Keys], [.. parts.Values.Select(part => part.ToArray())]);
    }

    private static int[] TokensOf(CorpusDocument document)
    {
        int[] tokens = new int[document.Text.Length];
        ReadOnlySpan<byte> bytes = document.Text.Span;
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = bytes[i];
        }

        return tokens;
    }
}
