namespace Federated.Training;

/// <summary>
/// An ONNX graph in memory, or in a file. A graph that names frozen weights is a file: the weights lie beside it, each in a file named by its
/// hash, and engines map them into memory instead of reading them.
/// </summary>
public sealed record GraphSource
{
    private GraphSource(byte[]? content, string? path)
    {
        Content = content;
        Path = path;
    }

    /// <summary>The graph's bytes; null for a file.</summary>
    public byte[]? Content { get; }

    /// <summary>The graph's file; null for bytes.</summary>
    public string? Path { get; }

    /// <summary>No graph at all: what is never opened.</summary>
    public static GraphSource None { get; } = new([], null);

    /// <summary>A graph in memory.</summary>
    public static GraphSource FromBytes(byte[] content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return new GraphSource(content, null);
    }

    /// <summary>A graph in a file, with its frozen weights beside it.</summary>
    public static GraphSource FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new GraphSource(null, path);
    }

    /// <summary>A graph in memory.</summary>
    public static implicit operator GraphSource(byte[] content) => FromBytes(content);
}
