using Federated.Testing;
using Microsoft.Data.Sqlite;

namespace Federated.Training.Sqlite.Tests;

/// <summary>A database in a folder of its own, made by statements.</summary>
internal sealed class Database : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public Database(params string[] statements)
    {
        Path = System.IO.Path.Combine(_folder.Path, "examples.db");
        using SqliteConnection connection = Open();
        foreach (string statement in statements)
        {
            Run(connection, statement);
        }
    }

    /// <summary>The database's file.</summary>
    public string Path { get; }

    /// <summary>The folder of the database.</summary>
    public string Folder => _folder.Path;

    /// <summary>A connection that may write, as the program that fills the database has.</summary>
    public SqliteConnection Open()
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    /// <summary>Runs one statement.</summary>
    public static void Run(SqliteConnection connection, string statement, params (string Name, object Value)[] values)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = statement;
        foreach ((string name, object value) in values)
        {
            command.Parameters.AddWithValue(name, value);
        }

        command.ExecuteNonQuery();
    }

    /// <summary>Writes a query's file.</summary>
    public string Query(string text) => _folder.Write("query.sql", System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>The examples of the table <c>t</c>, whose label is <c>label</c>.</summary>
    public SqliteExamples Load(string? query = null, string label = "label", bool number = false, string table = "t") => SqliteExamples.Load(new SqliteOptions
    {
        Path = Path,
        Table = query is null ? table : null,
        QueryFile = query is null ? null : Query(query),
        LabelColumn = label,
        LabelIsNumber = number,
        LockSeconds = 1,
    });

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
