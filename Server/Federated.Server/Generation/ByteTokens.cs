using System.Text;

namespace Federated.Server.Generation;

/// <summary>The bytes of UTF-8 as tokens 0 to 255, as the text sources of training have them.</summary>
internal sealed class ByteTokens : ITextTokens
{
    /// <summary>Tokens there are.</summary>
    public const int Vocabulary = 256;

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text) => [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <exception cref="InvalidDataException">A token is no byte.</exception>
    public string Decode(IEnumerable<int> tokens) => Encoding.UTF8.GetString(
    [
        .. tokens.Select(t => t is >= 0 and < Vocabulary
            ? (byte)t
            : throw new InvalidDataException($"The model wrote token {t}, which is no byte. Give its tokenizer with --tokenizer.")),
    ]);
}
