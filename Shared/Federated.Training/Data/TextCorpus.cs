using System.IO.Compression;

namespace Federated.Training.Data;

/// <summary>A text of an author, as the bytes of its file.</summary>
/// <param name="Author">The folder it lies in.</param>
/// <param name="Name">Its file's name without the ending; for example a year.</param>
/// <param name="Text">Its bytes, unchanged.</param>
public sealed record CorpusDocument(string Author, string Name, ReadOnlyMemory<byte> Text);

/// <summary>Which of an author's documents are meant.</summary>
public enum CorpusPart
{
    /// <summary>All of them.</summary>
    All,

    /// <summary>All but the last, of authors with two at least: what a device trains on.</summary>
    AllButLast,

    /// <summary>The last, of authors with two at least: what is held out.</summary>
    Last,
}

/// <summary>
/// Texts by author: a zip file, or a folder, that holds a folder for each author with <c>.txt</c> files in it, hidden ones left out. Authors and documents are in ordinal
/// order of their names. Immutable.
/// </summary>
public sealed class TextCorpus
{
    private const string Ending = ".txt";

    private TextCorpus(IReadOnlyList<CorpusDocument> documents) => Documents = documents;

    /// <summary>The texts, at least one.</summary>
    public IReadOnlyList<CorpusDocument> Documents { get; }

    /// <summary>Reads a corpus. Lengths are bounded while it is read.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no zip file, holds no text, or too much; the message names the file and the limit.</exception>
    public static TextCorpus Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        List<CorpusDocument> documents = Directory.Exists(path) ? FromFolder(path) : FromZip(path);
        return documents.Count > 0
            ? new TextCorpus([.. documents.OrderBy(d => d.Author, StringComparer.Ordinal).ThenBy(d => d.Name, StringComparer.Ordinal)])
            : throw new InvalidDataException($"'{path}' holds no {Ending} files in folders. Put each author's texts into a folder of the author's name.");
    }

    /// <summary>The documents whose names lie in a range, by author.</summary>
    /// <param name="from">First name meant, compared ordinally; null from the beginning.</param>
    /// <param name="to">Last name meant; null to the end.</param>
    /// <param name="part">Which of each author's documents in the range.</param>
    /// <exception cref="InvalidDataException">There are none.</exception>
    public IReadOnlyList<CorpusDocument> Select(string? from, string? to, CorpusPart part)
    {
        IEnumerable<CorpusDocument> inRange = Documents.Where(d =>
            (from is null || string.CompareOrdinal(d.Name, from) >= 0) && (to is null || string.CompareOrdinal(d.Name, to) <= 0));
        CorpusDocument[] selected =
        [
            .. inRange.GroupBy(d => d.Author, StringComparer.Ordinal).SelectMany(author => (part, author.Count()) switch
            {
                (CorpusPart.All, _) => author,
                (_, < 2) => [],
                (CorpusPart.Last, _) => author.TakeLast(1),
                _ => author.SkipLast(1),
            }),
        ];
        return selected.Length > 0
            ? selected
            : throw new InvalidDataException($"No document from '{from ?? "the first"}' to '{to ?? "the last"}' is meant; names go from '{Documents.Min(d => d.Name)}' to '{Documents.Max(d => d.Name)}'.");
    }

    private static List<CorpusDocument> FromFolder(string path)
    {
        List<CorpusDocument> documents = [];
        long total = 0;
        foreach (DirectoryInfo author in new DirectoryInfo(path).EnumerateDirectories("*", FileStamp.Listing))
        {
            foreach (FileStamp file in TextFolder.List(author.FullName))
            {
                using FileStream stream = File.OpenRead(file.Path);
                documents.Add(Read(stream, file.Path, author.Name, ref total));
            }
        }

        return documents;
    }

    private static List<CorpusDocument> FromZip(string path)
    {
        List<CorpusDocument> documents = [];
        long total = 0;
        using ZipArchive archive = ZipFile.OpenRead(path);
        foreach (ZipArchiveEntry entry in archive.Entries.Where(e => e.Name.EndsWith(Ending, StringComparison.OrdinalIgnoreCase)))
        {
            string[] folders = entry.FullName.Split('/');
            if (folders.Length >= 2 && !IsHidden(folders[^1]) && !IsHidden(folders[^2]))
            {
                using Stream stream = entry.Open();
                documents.Add(Read(stream, $"{path}/{entry.FullName}", folders[^2], ref total));
            }
        }

        return documents;
    }

    // What a folder would hide when the archive is unpacked: macOS puts such a companion beside each file.
    private static bool IsHidden(string name) => name.StartsWith('.');

    // What an archive says of its lengths is not believed: the stream is read up to the limit and no further.
    private static CorpusDocument Read(Stream stream, string name, string author, ref long total)
    {
        using MemoryStream content = new();
        byte[] buffer = new byte[1 << 16];
        for (int read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
        {
            total += read;
            if (content.Length + read > TextFolder.MaxFileBytes || total > TextFolder.MaxFolderBytes)
            {
                throw new InvalidDataException(
                    $"'{name}' goes beyond the limits of {TextFolder.MaxFileBytes} bytes a file and {TextFolder.MaxFolderBytes} in all. Split the file or give fewer files.");
            }

            content.Write(buffer, 0, read);
        }

        return new CorpusDocument(author, Path.GetFileNameWithoutExtension(name), content.ToArray());
    }
}
