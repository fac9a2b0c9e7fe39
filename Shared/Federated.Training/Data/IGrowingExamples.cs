namespace Federated.Training.Data;

/// <summary>Examples of a folder that files are added to. One caller at a time.</summary>
public interface IGrowingExamples
{
    /// <summary>What was read last; a refresh leaves it as it is and puts another in its place.</summary>
    IExampleSource Examples { get; }

    /// <summary>What became of the files.</summary>
    FolderReport Report { get; }

    /// <summary>Reads what was added or changed since, and forgets what is gone. When nothing did, this is one listing of the folder.</summary>
    /// <returns>Whether <see cref="Examples"/> are others now.</returns>
    /// <exception cref="IOException">The folder cannot be listed, or a file not be read; the examples stay as they were.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    bool Refresh();
}
