namespace Federated.Client.Data;

/// <summary>Where examples come from.</summary>
public enum DataSourceKind
{
    /// <summary>A pair of IDX files, as MNIST is published.</summary>
    Idx,

    /// <summary>A table, one example a row.</summary>
    Csv,

    /// <summary>A table, a view or a query of a SQLite database; only in builds with <c>-p:SqliteSource=true</c>.</summary>
    Sqlite,

    /// <summary>A folder of UTF-8 text files, each byte a token.</summary>
    Text,

    /// <summary>A file of tokens.</summary>
    Tokens,

    /// <summary>A folder of PNG and JPEG files, a sub-folder a class.</summary>
    Images,

    /// <summary>A folder of WAV files, a sub-folder a class.</summary>
    Audio,
}
