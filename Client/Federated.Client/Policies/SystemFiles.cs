using System.Globalization;

namespace Federated.Client.Policies;

/// <summary>
/// Small files of the kernel below a root, which is <c>/</c> on a device and a tree of fixtures in a test. Whatever cannot be read is null: drivers come and
/// go, and some files answer with an error now and then.
/// </summary>
/// <param name="root">The root.</param>
internal sealed class SystemFiles(string root)
{
    private const int MaxBytes = 64 << 10;

    /// <summary>The text of a file, without space at its ends.</summary>
    public string? Text(string path)
    {
        try
        {
            using FileStream stream = new(Path.Combine(root, path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            byte[] buffer = new byte[4096];
            using MemoryStream text = new();
            int read;
            while (text.Length < MaxBytes && (read = stream.Read(buffer)) > 0)
            {
                text.Write(buffer, 0, read);
            }

            return System.Text.Encoding.ASCII.GetString(text.GetBuffer(), 0, (int)text.Length).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The whole number in a file.</summary>
    public long? Number(string path) =>
        long.TryParse(Text(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : null;

    /// <summary>Names of what lies in a folder, sorted; none when it is not there.</summary>
    public string[] Names(string folder)
    {
        try
        {
            string[] names = [.. Directory.EnumerateFileSystemEntries(Path.Combine(root, folder)).Select(entry => Path.GetFileName(entry)!)];
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
