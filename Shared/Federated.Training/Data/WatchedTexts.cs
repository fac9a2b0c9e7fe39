namespace Federated.Training.Data;

/// <summary>The texts of a folder as tokens, each byte one, read again as a whole when its files have changed and nobody writes to them.</summary>
public sealed class WatchedTexts : IGrowingExamples
{
    private readonly string _folder;
    private readonly int _length;
    private readonly TimeProvider _time;
    private List<FileStamp> _read;

    /// <summary>Reads a folder, as <see cref="TextFolder.Load"/> does.</summary>
    /// <param name="folder">The folder with the .txt files.</param>
    /// <param name="length">Tokens an example.</param>
    /// <param name="time">Tells which files may still be written to.</param>
    /// <exception cref="IOException">There is no such folder, or a file cannot be read.</exception>
    /// <exception cref="InvalidDataException">There is no text, or a file is too large or not UTF-8.</exception>
    public WatchedTexts(string folder, int length, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _folder = folder;
        _length = length;
        _time = time;
        List<FileStamp> files = Directory.Exists(folder) ? List() : [];
        TextFolder texts = TextFolder.Load(folder);
        Examples = TokenExamples.OfText(texts, length);
        Report = new FolderReport(texts.Documents.Count);

        // What may have been written to while it was read is read again.
        _read = files.Exists(file => file.IsFresh(time)) ? [] : files;
    }

    /// <inheritdoc/>
    public IExampleSource Examples { get; private set; }

    /// <inheritdoc/>
    public FolderReport Report { get; private set; }

    /// <inheritdoc/>
    public bool Refresh()
    {
        List<FileStamp> files = List();
        if (files.SequenceEqual(_read))
        {
            return false;
        }

        int waiting = files.Except(_read).Count(file => file.IsFresh(_time));
        if (waiting > 0)
        {
            Report = Report with { Waiting = waiting };
            return false;
        }

        try
        {
            TextFolder texts = TextFolder.Load(_folder);
            Examples = TokenExamples.OfText(texts, _length);
            Report = new FolderReport(texts.Documents.Count);
            return true;
        }
        catch (InvalidDataException)
        {
            // Until the files change again, reading them again would end the same.
            Report = Report with { Waiting = 0, Undecodable = 1 };
            return false;
        }
        finally
        {
            _read = files;
        }
    }

    private List<FileStamp> List() => FileStamp.Of(_folder, name => name.EndsWith(".txt", StringComparison.Ordinal));
}
