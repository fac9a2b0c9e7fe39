using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace Federated.Server.Generation;

/// <summary>
/// Byte-level BPE. Special tokens are cut out of a text first; what lies between them is cut by one expression after the other, each looking at the pieces of the one before;
/// the bytes of each piece become tokens by merging neighbours. Thread-safe.
/// </summary>
internal sealed class ByteLevelTokens : ITextTokens
{
    private readonly BpeTokenizer _merging;
    private readonly IReadOnlyDictionary<string, int> _special;
    private readonly Regex? _specialOnes;
    private readonly IReadOnlyList<Regex> _splits;

    /// <summary>Tokens of a vocabulary.</summary>
    /// <param name="merging">Makes tokens of a piece, and texts of tokens.</param>
    /// <param name="special">Tokens that stand for themselves in a text, by their text.</param>
    /// <param name="splits">What cuts a text: matches and what lies between them are pieces.</param>
    public ByteLevelTokens(BpeTokenizer merging, IReadOnlyDictionary<string, int> special, IReadOnlyList<Regex> splits)
    {
        _merging = merging;
        _special = special;
        _splits = splits;

        // Where one begins with another, the longer one is meant.
        _specialOnes = special.Count == 0 ? null : new Regex(string.Join('|', special.Keys.OrderByDescending(text => text.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant);
    }

    /// <summary>Tokens that stand before every text, such as the one for its beginning.</summary>
    public IReadOnlyList<int> First { get; init; } = [];

    /// <summary>The vocabulary, in the byte-level alphabet, where a piece that is in it is that token whatever the merges make of it; null where merges decide alone.</summary>
    public IReadOnlyDictionary<string, int>? Whole { get; init; }

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text)
    {
        List<int> tokens = [.. First];
        foreach (string part in _specialOnes is null ? [text] : Cut(text, _specialOnes))
        {
            if (_special.TryGetValue(part, out int token))
            {
                tokens.Add(token);
                continue;
            }

            IEnumerable<string> pieces = [part];
            foreach (Regex split in _splits)
            {
                pieces = pieces.SelectMany(piece => Cut(piece, split));
            }

            foreach (string piece in pieces)
            {
                if (Whole is not null && Whole.TryGetValue(Alphabet(piece), out int whole))
                {
                    tokens.Add(whole);
                }
                else
                {
                    tokens.AddRange(_merging.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
                }
            }
        }

        return tokens;
    }

    /// <inheritdoc/>
    public string Decode(IEnumerable<int> tokens) => _merging.Decode(tokens) ?? "";

    /// <summary>Matches and what lies between them, in order, none of them empty.</summary>
    private static IEnumerable<string> Cut(string text, Regex split)
    {
        int next = 0;
        foreach (Match match in split.Matches(text).Where(match => match.Length > 0))
        {
            if (match.Index > next)
            {
                yield return text[next..match.Index];
            }

            yield return match.Value;
            next = match.Index + match.Length;
        }

        if (next < text.Length)
        {
            yield return text[next..];
        }
    }

    /// <summary>A character for each byte, as GPT-2 has them: printable ones of Latin-1 stand for themselves, the others for those from 256 on, in order.</summary>
    private static string Alphabet(string piece)
    {
        const int Beyond = 256;
        StringBuilder characters = new();
        foreach (byte value in Encoding.UTF8.GetBytes(piece))
        {
            // Not printable are 0 to 32, 127 to 160 and 173, the soft hyphen.
            characters.Append((char)(value switch
            {
                <= 32 => Beyond + value,
                >= 127 and <= 160 => Beyond + 33 + value - 127,
                173 => Beyond + 33 + 34,
                _ => value,
            }));
        }

        return characters.ToString();
    }
}
