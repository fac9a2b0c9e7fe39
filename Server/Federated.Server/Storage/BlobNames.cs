using System.Buffers;

namespace Federated.Server.Storage;

/// <summary>The rules for blob names that <see cref="IBlobStore"/> states; they also keep every name inside a store's folder.</summary>
internal static class BlobNames
{
    public const int MaxLength = 512;
    public const int MaxSegmentLength = 255;

    private const string Rule = "A blob name has 1 to 512 characters: segments of 1 to 255 A-Z a-z 0-9 . _ - that do not end with a dot, separated by '/'";

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/");

    /// <summary>Returns when <paramref name="name"/> may name a blob.</summary>
    /// <exception cref="ArgumentException">It may not; the message says why.</exception>
    public static void Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > MaxLength)
        {
            throw new ArgumentException($"{Rule}; this one has {name.Length} characters.", nameof(name));
        }

        CheckCharacters(name, nameof(name));
        foreach (Range range in name.AsSpan().Split('/'))
        {
            CheckSegment(name, name.AsSpan(range), nameof(name));
        }
    }

    /// <summary>Returns when <paramref name="prefix"/> is empty or some blob name could begin with it.</summary>
    /// <exception cref="ArgumentException">None could.</exception>
    public static void CheckPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > MaxLength)
        {
            throw new ArgumentException($"{Rule}; this prefix has {prefix.Length} characters.", nameof(prefix));
        }

        CheckCharacters(prefix, nameof(prefix));
        int folder = prefix.LastIndexOf('/');
        if (folder < 0)
        {
            return;
        }

        foreach (Range range in prefix.AsSpan(0, folder).Split('/'))
        {
            CheckSegment(prefix, prefix.AsSpan(0, folder)[range], nameof(prefix));
        }
    }

    private static void CheckCharacters(string text, string parameter)
    {
        int refused = text.AsSpan().IndexOfAnyExcept(_allowed);
        if (refused >= 0)
        {
            throw new ArgumentException($"{Rule}; '{text}' has the character U+{(int)text[refused]:X4} at index {refused}.", parameter);
        }
    }

    private static void CheckSegment(string text, ReadOnlySpan<char> segment, string parameter)
    {
        string? fault = segment switch
        {
            [] => "an empty segment",
            { Length: > MaxSegmentLength } => $"a segment of {segment.Length} characters",
            [.., '.'] => $"the segment '{segment}'",
            _ => null,
        };
        if (fault is not null)
        {
            throw new ArgumentException($"{Rule}; '{text}' has {fault}.", parameter);
        }
    }
}
