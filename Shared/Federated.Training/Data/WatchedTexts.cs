namespace Federated.Training.Data;

/// <summary>The texts of a folder as tokens, each byte one, read again as a whole when its files have changed and nobody writes to them.</summary>
public sealed class WatchedTexts : IGrowingExamples
{
    private readonly string _folder;
    private readonly int _length;
    private readonly TimeProvider _time;
    private readonly List<string> _unreadable = [];
    private List<FileStamp> _read;

    /// <summary>Reads a folder. Files that are too large, not UTF-8 or cannot be opened are left out, as they are when they come later.</summary>
    /// <param name="folder">The folder with the .txt files.</param>
    /// <param name="length">Tokens an example.</param>
    /// <param name="time">Tells which files may still be written to.</param>
    /// <exception cref="IOException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be read.</exception>
    /// <exception cref="InvalidDataException">There is no text that can be read.</exception>
    public WatchedTexts(string folder, int length, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _folder = folder;
        _length = length;
        _time = time;
        List<FileStamp> files = Directory.Exists(folder) ? TextFolder.List(folder) : [];
        (Examples, Report) = Read();

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
        List<FileStamp> files = Directory.Exists(_folder) ? TextFolder.List(_folder) : [];

        // That a file may be opened now does not change its length or time.
        if (files.SequenceEqual(_read) && !_unreadable.Exists(CanBeOpened))
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
            (Examples, Report) = Read();
            _read = files;
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or DirectoryNotFoundException)
        {
            // What is no longer there is not trained on. Until the files change again, reading them again would end the same.
            _read = files;
            Examples = new ExampleSubset(Examples, []);
            Report = new FolderReport(0) { Undecodable = Math.Max(0, files.Count - _unreadable.Count), Unreadable = _unreadable.Count };
            return true;
        }
    }

    private (IExampleSource Examples, FolderReport Report) Read()
    {
        int undecodable = 0;
        _unreadable.Clear();
        TextFolder texts = TextFolder.Load(_folder, (file, problem) =>
        {
            if (problem is InvalidDataException)
            {
                undecodable++;
            }
            else
            {
                _unreadable.Add(file);
            }
        });
        return (TokenExamples.OfText(texts, _length), new FolderReport(texts.Documents.Count) { Undecodable = undecodable, Unreadable = _unreadable.Count });
    }

    private static bool CanBeOpened(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
