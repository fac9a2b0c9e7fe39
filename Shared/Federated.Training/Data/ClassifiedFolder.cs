using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Federated.Shared.Protocol;

namespace Federated.Training.Data;

/// <summary>
/// A folder with a sub-folder for each class and the examples of the class in it, one a file; examples are in the order of classes and, within one, in ordinal order
/// of names. Every file is decoded once and its features are held in memory. Classes stay as they were found first, since a new one would renumber them.
/// </summary>
internal sealed class ClassifiedFolder<T> : IGrowingExamples
    where T : unmanaged
{
    /// <summary>Most that the features of a folder take of the memory.</summary>
    public const long MaxFolderBytes = 256L * 1024 * 1024;

    private readonly string _folder;
    private readonly IFileReader<T> _reader;
    private readonly TimeProvider _time;
    private Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>Reads a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classesFile">A UTF-8 file with the name of a class a line, in order; the names of the sub-folders in ordinal order when null.</param>
    /// <param name="reader">Reads a file.</param>
    /// <param name="time">Tells which files may still be written to.</param>
    /// <exception cref="IOException">There is no such folder or file.</exception>
    /// <exception cref="InvalidDataException">There is no class, or not one example has room in memory.</exception>
    public ClassifiedFolder(string folder, string? classesFile, IFileReader<T> reader, TimeProvider time)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder '{folder}'. Give the folder that holds a sub-folder for each class.");
        }

        _folder = folder;
        _reader = reader;
        _time = time;
        Classes = classesFile is null ? [.. SubFolders().Order(StringComparer.Ordinal)] : ReadClasses(classesFile);
        if (Classes.IsEmpty)
        {
            throw new InvalidDataException($"'{classesFile ?? folder}' names no class. Give a folder with a sub-folder for each class, or a file with a class a line.");
        }

        Examples = new FileExamples<T>(reader, [], []);
        _ = Refresh();

        // A folder that has grown beyond its room while a device ran must not end it at its next start.
        if (Report is { NoRoom: > 0, Taken: 0 })
        {
            throw new InvalidDataException(
                $"The folder '{folder}' has {Report.NoRoom + Report.Taken} examples of {reader.FeatureLength * Unsafe.SizeOf<T>()} bytes each; the limits are {MaxFolderBytes} bytes "
                + $"and {ProtocolLimits.MaxExamples} examples. Make the examples smaller or take files out.");
        }
    }

    /// <summary>The classes; the position is the label.</summary>
    public ImmutableArray<string> Classes { get; }

    /// <inheritdoc/>
    public IExampleSource Examples { get; private set; }

    /// <inheritdoc/>
    public FolderReport Report { get; private set; } = new(0);

    /// <inheritdoc/>
    public bool Refresh()
    {
        Dictionary<string, Seen> seen = new(StringComparer.Ordinal);
        FolderReport report = new(0) { UnknownFolders = SubFolders().Count(name => !Classes.Contains(name)) };
        List<T[]> features = [];
        List<long> labels = [];
        bool changed = false;
        for (int label = 0; label < Classes.Length; label++)
        {
            string path = Path.Combine(_folder, Classes[label]);
            foreach (FileStamp file in Directory.Exists(path) ? FileStamp.Of(path, _reader.Takes) : [])
            {
                bool known = _seen.TryGetValue(file.Path, out Seen? before);
                if (!known || before!.Stamp != file)
                {
                    if (file.IsFresh(_time))
                    {
                        report = report with { Waiting = report.Waiting + 1 };
                    }
                    else if (!HasRoom(features.Count))
                    {
                        report = report with { NoRoom = report.NoRoom + 1 };
                        continue;
                    }
                    else if (TryRead(file, ref report) is { } read)
                    {
                        before = read;
                        changed = true;
                    }
                }

                if (before is null)
                {
                    continue;
                }

                seen.Add(file.Path, before);
                report = Count(report, before.Problem);
                if (before.Problem is not null)
                {
                    continue;
                }

                if (!HasRoom(features.Count))
                {
                    report = report with { NoRoom = report.NoRoom + 1 };
                }
                else
                {
                    features.Add(before.Features);
                    labels.Add(label);
                }
            }
        }

        changed |= seen.Count != _seen.Count;
        _seen = seen;
        Report = report with { Taken = labels.Count };
        if (changed)
        {
            Examples = new FileExamples<T>(_reader, [.. features], [.. labels]);
        }

        return changed;
    }

    private static FolderReport Count(FolderReport report, FileProblem? problem) => problem switch
    {
        FileProblem.Undecodable => report with { Undecodable = report.Undecodable + 1 },
        FileProblem.Unsuitable => report with { Unsuitable = report.Unsuitable + 1 },
        FileProblem.TooLarge => report with { TooLarge = report.TooLarge + 1 },
        _ => report,
    };

    private static ImmutableArray<string> ReadClasses(string file)
    {
        ImmutableArray<string> classes = [.. File.ReadAllLines(file).Select(line => line.Trim()).Where(line => line.Length > 0)];
        string? wrong = classes.FirstOrDefault(name => name is "." or ".." || name.AsSpan().IndexOfAny('/', '\\', '\0') >= 0)
            ?? classes.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;
        return wrong is null
            ? classes
            : throw new InvalidDataException($"'{file}' names the class '{wrong}', which occurs twice or is no name of a folder. Give each class a line of its own.");
    }

    private bool HasRoom(int count) =>
        count < ProtocolLimits.MaxExamples && (count + 1L) * _reader.FeatureLength * Unsafe.SizeOf<T>() <= MaxFolderBytes;

    private Seen? TryRead(FileStamp file, ref FolderReport report)
    {
        if (file.LengthBytes > _reader.MaxFileBytes)
        {
            return new Seen(file, [], FileProblem.TooLarge);
        }

        try
        {
            FileProblem? problem = _reader.Read(File.ReadAllBytes(file.Path), out T[] features);
            return new Seen(file, features, problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report = report with { Unreadable = report.Unreadable + 1 };
            return null;
        }
    }

    private IEnumerable<string> SubFolders() => new DirectoryInfo(_folder).EnumerateDirectories("*", FileStamp.Listing).Select(folder => folder.Name);

    private sealed record Seen(FileStamp Stamp, T[] Features, FileProblem? Problem);
}
