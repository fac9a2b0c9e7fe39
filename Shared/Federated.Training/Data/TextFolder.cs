using System.Text;

namespace Federated.Training.Data;

/// <summary>A text and the name of its file.</summary>
public sealed record TextDocument(string Name, string Text);

/// <summary>
/// The UTF-8 <c>.txt</c> files that lie directly in a folder, hidden ones left out, in ordinal order of their names, held in memory. Immutable.
/// </summary>
public sealed class TextFolder
{
    /// <summary>Largest single file.</summary>
    public const long MaxFileBytes = 16L * 1024 * 1024;

    /// <summary>Largest sum of all files.</summary>
    public const long MaxFolderBytes = 256L * 1024 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private TextFolder(IReadOnlyList<TextDocument> documents) => Documents = documents;

    /// <summary>The texts, at least one.</summary>
    public IReadOnlyList<TextDocument> Documents { get; }

    /// <summary>Reads a folder. Lengths are checked before a file is read.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="leftOut">
    /// Told of each file that is too large, not UTF-8, or beyond the limit of the folder (<see cref="InvalidDataException"/>), or that cannot be opened (another exception),
    /// by its path; it is left out then. Null to demand all of them.
    /// </param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">A file cannot be read, and all are demanded.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder, or a file when all are demanded, may not be read.</exception>
    /// <exception cref="InvalidDataException">
    /// There is no text in it, a file or the folder is too large, or a file is not UTF-8; the message names file, offset and limit.
    /// </exception>
    public static TextFolder Load(string path, Action<string, Exception>? leftOut = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!Directory.Exists(path))
        {
            throw new DirectoryNotFoundException($"There is no folder '{path}'. Give the folder that holds the .txt files.");
        }

        List<FileStamp> files = List(path);
        if (files.Count == 0)
        {
            throw new InvalidDataException($"The folder '{path}' holds no .txt files. Subfolders are not searched.");
        }

        List<TextDocument> documents = new(files.Count);
        long total = 0;
        Exception? last = null;
        foreach (string file in files.Select(f => f.Path))
        {
            try
            {
                documents.Add(Read(file, ref total));
            }
            catch (Exception e) when (leftOut is not null && e is (InvalidDataException or IOException or UnauthorizedAccessException))
            {
                leftOut(file, e);
                last = e;
            }
        }

        return documents.Count > 0 ? new TextFolder(documents) : throw new InvalidDataException($"The folder '{path}' holds no text that can be read. {last!.Message}", last);
    }

    /// <summary>The files that are read, as they are now.</summary>
    internal static List<FileStamp> List(string path) => FileStamp.Of(path, name => name.EndsWith(".txt", StringComparison.Ordinal));

    private static TextDocument Read(string file, ref long total)
    {
        long length = new FileInfo(file).Length;
        if (length > MaxFileBytes || total + length > MaxFolderBytes)
        {
            throw new InvalidDataException(
                $"'{file}' has {length} bytes and brings the folder to {total + length}; the limits are {MaxFileBytes} a file and {MaxFolderBytes} a folder. "
                + "Split the file or give fewer files.");
        }

        TextDocument document = new(Path.GetFileName(file), Decode(file, File.ReadAllBytes(file)));
        total += length;
        return document;
    }

    private static string Decode(string file, byte[] content)
    {
        ReadOnlySpan<byte> text = content;
        ReadOnlySpan<byte> mark = Encoding.UTF8.Preamble;
        if (text.StartsWith(mark))
        {
            text = text[mark.Length..];
        }

        try
        {
            return StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException(
                $"'{file}' is not UTF-8 text: byte 0x{e.BytesUnknown?[0]:X2} at offset {e.Index + content.Length - text.Length}. Save it as UTF-8.", e);
        }
    }
}
