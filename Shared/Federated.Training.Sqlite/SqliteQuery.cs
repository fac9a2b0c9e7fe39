using System.Text;
using Microsoft.Data.Sqlite;

namespace Federated.Training.Sqlite;

/// <summary>The one statement that is run on a database.</summary>
internal static class SqliteQuery
{
    private const long MaxFileBytes = 1024 * 1024;

    /// <summary>Prepares it: SQLite has compiled the statement, and no row has been read.</summary>
    /// <exception cref="SqliteException">SQLite does not take it; the message quotes statement or schema, and no row.</exception>
    /// <exception cref="InvalidDataException">The file of the query holds no text that can be a query.</exception>
    /// <exception cref="IOException">That file cannot be read.</exception>
    public static SqliteCommand Prepare(SqliteConnection connection, SqliteOptions options)
    {
        string statement;
        if (options.Table is { } table)
        {
            statement = $"SELECT * FROM \"{table.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        }
        else
        {
            statement = ReadFile(options.QueryFile ?? throw new ArgumentException("Neither a table nor a query's file is named.", nameof(options)));

            // What compiles in parentheses after FROM is one SELECT statement: neither two nor one that attaches, changes or writes something.
            Compile(connection, $"SELECT * FROM (\n{statement}\n)").Dispose();
        }

        return Compile(connection, statement);
    }

    private static SqliteCommand Compile(SqliteConnection connection, string statement)
    {
        SqliteCommand command = connection.CreateCommand();
        try
        {
#pragma warning disable CA2100 // The table's name is quoted, and a query is what the device's owner asked for; the connection can only read.
            command.CommandText = statement;
#pragma warning restore CA2100
            command.Prepare();
            return command;
        }
        catch
        {
            command.Dispose();
            throw;
        }
    }

    private static string ReadFile(string path)
    {
        FileInfo file = new(path);
        if (file.Exists && file.Length > MaxFileBytes)
        {
            throw new InvalidDataException($"The query's file '{path}' has {file.Length} bytes, the limit is {MaxFileBytes}. It holds one SELECT statement.");
        }

        try
        {
            string text = File.ReadAllText(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true)).Trim();
            return text.EndsWith(';') ? text[..^1] : text;
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"The query's file '{path}' is not UTF-8 text: {e.Message}", e);
        }
    }
}
