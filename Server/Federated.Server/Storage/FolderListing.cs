namespace Federated.Server.Storage;

/// <summary>Lists the files of a folder tree as blob names.</summary>
internal static class FolderListing
{
    /// <summary>Every file of the tree, those that begin with a dot included; symbolic links are not followed.</summary>
    public static readonly EnumerationOptions WholeTree = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private static readonly EnumerationOptions _oneFolder = new() { AttributesToSkip = FileAttributes.ReparsePoint };

    /// <summary>Names below <paramref name="root"/> that begin with <paramref name="prefix"/>, in ordinal order, temporaries left out.</summary>
    public static IEnumerable<string> Names(string root, string prefix)
    {
        int folder = prefix.LastIndexOf('/') + 1;
        DirectoryInfo start = new(Path.Join(root, prefix.AsSpan(0, folder)));
        return Walk(start, prefix[..folder], prefix[folder..]);
    }

    private static IEnumerable<string> Walk(DirectoryInfo folder, string path, string prefix)
    {
        if (!folder.Exists)
        {
            yield break;
        }

        // A folder sorts with its slash, so that what lies in it comes where its full names belong.
        List<(string Key, FileSystemInfo Entry)> entries = [];
        foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos("*", _oneFolder))
        {
            if (entry.Name.StartsWith(prefix, StringComparison.Ordinal) && !entry.Name.StartsWith('~'))
            {
                entries.Add((entry is DirectoryInfo ? entry.Name + "/" : entry.Name, entry));
            }
        }

        entries.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        foreach ((string key, FileSystemInfo entry) in entries)
        {
            if (entry is not DirectoryInfo below)
            {
                yield return path + key;
                continue;
            }

            foreach (string name in Walk(below, path + key, ""))
            {
                yield return name;
            }
        }
    }
}
