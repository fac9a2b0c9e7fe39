using System.Globalization;

namespace Federated.Training.Data;

/// <summary>What became of the files of a folder: counts alone, so that it may be logged. Compares by value.</summary>
/// <param name="Taken">Files that examples come from.</param>
public sealed record FolderReport(int Taken)
{
    /// <summary>Files that changed within the last seconds and are taken later.</summary>
    public int Waiting { get; init; }

    /// <summary>Files that are damaged, cut off, or not of their format; tried again when they change.</summary>
    public int Undecodable { get; init; }

    /// <summary>Files that are of their format but not as the source demands, for example of another sampling rate.</summary>
    public int Unsuitable { get; init; }

    /// <summary>Files beyond the limit of a file.</summary>
    public int TooLarge { get; init; }

    /// <summary>Files that could not be opened; tried again every time.</summary>
    public int Unreadable { get; init; }

    /// <summary>Files for which no memory is left under the limit of a folder.</summary>
    public int NoRoom { get; init; }

    /// <summary>Sub-folders that are no class.</summary>
    public int UnknownFolders { get; init; }

    /// <summary>Whether a person should look at the folder.</summary>
    public bool HasProblems => Undecodable + Unsuitable + TooLarge + Unreadable + NoRoom + UnknownFolders > 0;

    /// <inheritdoc/>
    public override string ToString()
    {
        (int Count, string Text)[] parts =
        [
            (Waiting, "still being written"),
            (Undecodable, "cannot be decoded"),
            (Unsuitable, "not as the source demands"),
            (TooLarge, "too large"),
            (Unreadable, "cannot be opened"),
            (NoRoom, "without room in memory"),
            (UnknownFolders, "in number are sub-folders without a class"),
        ];
        return string.Create(CultureInfo.InvariantCulture, $"{Taken} files taken")
            + string.Concat(parts.Where(p => p.Count > 0).Select(p => string.Create(CultureInfo.InvariantCulture, $", {p.Count} {p.Text}")));
    }
}
