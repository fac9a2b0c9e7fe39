namespace Federated.Training.Sqlite;

/// <summary>What of a database is read.</summary>
public sealed record SqliteOptions
{
    /// <summary>The database's file.</summary>
    public required string Path { get; init; }

    /// <summary>The table or view whose rows are the examples; null when <see cref="QueryFile"/> says it.</summary>
    public string? Table { get; init; }

    /// <summary>A UTF-8 file of at most 1 MiB with one SELECT statement, whose rows are the examples; null when <see cref="Table"/> says it.</summary>
    public string? QueryFile { get; init; }

    /// <summary>Name of the column of the labels; large and small letters are the same, as they are to SQLite.</summary>
    public required string LabelColumn { get; init; }

    /// <summary>Whether the label is a number to be foretold rather than a class.</summary>
    public bool LabelIsNumber { get; init; }

    /// <summary>How long a writer's lock is waited for, in seconds, at least 1. 30 by default.</summary>
    public int LockSeconds { get; init; } = 30;
}
