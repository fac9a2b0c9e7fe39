using System.Buffers.Binary;
using System.Text;
using Federated.Shared.Models;

namespace Federated.Training.Data;

/// <summary>
/// Tokens cut into examples of one length for a model that foretells the next token: an example's features are its tokens and its labels the
/// tokens that follow each. Examples do not overlap. A short last one is filled up with token 0, and what has no token after it has the label
/// −100, which is not counted. Held in memory as 32-bit integers. Thread-safe.
/// </summary>
public sealed class TokenExamples : IExampleSource
{
    /// <summary>Most tokens an example.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>The label of a position that is not counted.</summary>
    public const long Ignored = -100;

    private readonly int[] _tokens;
    private readonly (int Start, int Count)[] _windows;
    private readonly int _length;

    private TokenExamples(int[] tokens, (int Start, int Count)[] windows, int length)
    {
        _tokens = tokens;
        _windows = windows;
        _length = length;
    }

    /// <inheritdoc/>
    public int Count => _windows.Length;

    /// <inheritdoc/>
    public ExampleFormat Format => new(ElementType.Int64, _length, ElementType.Int64, _length);

    /// <summary>Cuts documents into examples; none reaches over the end of a document.</summary>
    /// <param name="documents">Tokens of each document, 0 and above.</param>
    /// <param name="length">Tokens an example, 1 to <see cref="MaxLength"/>.</param>
    /// <exception cref="InvalidDataException">No document has two tokens, or a token is negative.</exception>
    public static TokenExamples Of(IReadOnlyList<int[]> documents, int length)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        int[] tokens = [.. documents.SelectMany(document => document)];
        int negative = Array.FindIndex(tokens, token => token < 0);
        if (negative >= 0)
        {
            throw new InvalidDataException($"Token {negative} is {tokens[negative]}; tokens are 0 and above.");
        }

        List<(int, int)> windows = [];
        int start = 0;
        foreach (int[] document in documents)
        {
            // The last token is a label only.
            for (int first = 0; first < document.Length - 1; first += length)
            {
                windows.Add((start + first, Math.Min(length, document.Length - 1 - first)));
            }

            start += document.Length;
        }

        return windows.Count > 0
            ? new TokenExamples(tokens, [.. windows], length)
            : throw new InvalidDataException("No document has two tokens; there is nothing to foretell.");
    }

    /// <summary>Texts as the bytes of their UTF-8: a vocabulary of 256.</summary>
    /// <exception cref="InvalidDataException">No text has two bytes.</exception>
    public static TokenExamples OfText(TextFolder texts, int length)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Of([.. texts.Documents.Select(d => Encoding.UTF8.GetBytes(d.Text).Select(b => (int)b).ToArray())], length);
    }

    /// <summary>A file of little-endian 32-bit tokens, one document.</summary>
    /// <exception cref="InvalidDataException">The file is no such list.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TokenExamples Load(string path, int length)
    {
        byte[] content = File.ReadAllBytes(path);
        if (content.Length % sizeof(int) != 0 || content.Length < 2 * sizeof(int))
        {
            throw new InvalidDataException($"'{path}' has {content.Length} bytes; tokens have {sizeof(int)} bytes each, and two are the least.");
        }

        int[] tokens = new int[content.Length / sizeof(int)];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(i * sizeof(int)));
        }

        return Of([tokens], length);
    }

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        BatchSpans.Check(indices.Length, Format, batch);
        for (int i = 0; i < indices.Length; i++)
        {
            (int start, int count) = _windows[indices[i]];
            Span<long> tokens = batch.Tokens.Slice(i * _length, _length);
            Span<long> labels = batch.Labels.Slice(i * _length, _length);
            for (int p = 0; p < count; p++)
            {
                tokens[p] = _tokens[start + p];
                labels[p] = _tokens[start + p + 1];
            }

            tokens[count..].Clear();
            labels[count..].Fill(Ignored);
        }
    }
}
