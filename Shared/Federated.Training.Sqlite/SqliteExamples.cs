using Federated.Shared.Protocol;
using Federated.Training.Data;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Federated.Training.Sqlite;

/// <summary>
/// Examples of a SQLite database, read once: one row an example, one column the label (a class from 0, or a number), every other a numeric feature in
/// the order of the columns. The database is opened to be read only, and read as it stands at one moment. Thread-safe.
/// </summary>
public sealed class SqliteExamples : TableExamples
{
    private const int NamesShown = 20;

    private SqliteExamples(float[] features, long[] labels, float[] targets, int featureLength)
        : base(features, labels, targets, featureLength)
    {
    }

    /// <summary>Reads the rows of a table, a view or a query, in the order in which SQLite gives them.</summary>
    /// <exception cref="InvalidDataException">The file is no database, or its rows are no examples; the message names file, row and column, and never a value.</exception>
    /// <exception cref="IOException">The database cannot be read, or another program has kept it locked for too long.</exception>
    public static SqliteExamples Load(SqliteOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!File.Exists(options.Path))
        {
            throw new FileNotFoundException($"There is no database '{options.Path}'.", options.Path);
        }

        SqliteConnectionStringBuilder place = new() { DataSource = Path.GetFullPath(options.Path), Mode = SqliteOpenMode.ReadOnly, Pooling = false, DefaultTimeout = options.LockSeconds };
        using SqliteConnection connection = new(place.ToString());
        SqliteCommand command;
        try
        {
            connection.Open();
            command = SqliteQuery.Prepare(connection, options);
        }
        catch (SqliteException e)
        {
            throw Unreadable(options, "", e.Message, e);
        }

        using (command)
        {
            return Read(command, options);
        }
    }

    private static SqliteExamples Read(SqliteCommand command, SqliteOptions options)
    {
        int row = 1;
        try
        {
            using SqliteDataReader reader = command.ExecuteReader();
            int label = FindLabel(reader, options);
            int columns = reader.FieldCount;
            List<float> features = [];
            List<long> labels = [];
            List<float> targets = [];
            for (; reader.Read(); row++)
            {
                if (row > ProtocolLimits.MaxExamples || features.Count > Array.MaxLength - columns)
                {
                    throw new InvalidDataException(
                        $"'{options.Path}' has more than {row - 1} rows of {columns - 1} features; the limits are {ProtocolLimits.MaxExamples} rows and "
                        + $"{Array.MaxLength} features in all. Make a view of fewer.");
                }

                for (int c = 0; c < columns; c++)
                {
                    if (c != label)
                    {
                        features.Add(Number(reader, c, row, options));
                    }
                    else if (options.LabelIsNumber)
                    {
                        targets.Add(Number(reader, c, row, options));
                    }
                    else
                    {
                        labels.Add(Class(reader, c, row, options));
                    }
                }
            }

            return row > 1
                ? new SqliteExamples([.. features], [.. labels], [.. targets], columns - 1)
                : throw new InvalidDataException($"'{options.Path}': {Rows(options)} has no rows. Give at least one example.");
        }
        catch (SqliteException e)
        {
            // While rows are read, SQLite's message may quote what is in them: the code's own words are told instead.
            throw Unreadable(options, $", row {row}", raw.sqlite3_errstr(e.SqliteErrorCode).utf8_to_string(), e);
        }
    }

    private static int FindLabel(SqliteDataReader reader, SqliteOptions options)
    {
        string[] names = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
        int[] found = [.. Enumerable.Range(0, names.Length).Where(c => string.Equals(names[c], options.LabelColumn, StringComparison.OrdinalIgnoreCase))];
        if (found.Length != 1)
        {
            string known = string.Join(", ", names.Take(NamesShown).Select(name => $"'{name}'")) + (names.Length > NamesShown ? ", …" : string.Empty);
            throw new InvalidDataException(
                $"'{options.Path}': {Rows(options)} has {(found.Length == 0 ? "no column" : $"{found.Length} columns")} '{options.LabelColumn}'; its {names.Length} columns are {known}. "
                + "Name one of them as the label.");
        }

        return names.Length > 1
            ? found[0]
            : throw new InvalidDataException($"'{options.Path}': {Rows(options)} has 1 column; at least one feature beside the label is needed.");
    }

    private static float Number(SqliteDataReader reader, int column, int row, SqliteOptions options)
    {
        sqlite3_stmt statement = reader.Handle!;
        int type = raw.sqlite3_column_type(statement, column);
        float value = type == raw.SQLITE_INTEGER ? raw.sqlite3_column_int64(statement, column)
            : type == raw.SQLITE_FLOAT ? (float)raw.sqlite3_column_double(statement, column)
            : float.NaN;
        return float.IsFinite(value)
            ? value
            : throw new InvalidDataException(
                $"{Place(reader, column, row, options)} is {Describe(type)}, {(options.LabelIsNumber ? "features and targets are finite numbers" : "a feature is a finite number")} such as 0.5. "
                + "Make a view that leaves the column or the row out, or fills in a number.");
    }

    private static long Class(SqliteDataReader reader, int column, int row, SqliteOptions options)
    {
        int type = raw.sqlite3_column_type(reader.Handle!, column);
        long value = type == raw.SQLITE_INTEGER ? raw.sqlite3_column_int64(reader.Handle!, column) : -1;
        return value >= 0
            ? value
            : throw new InvalidDataException(
                $"{Place(reader, column, row, options)} is {(type == raw.SQLITE_INTEGER ? "below 0" : Describe(type))}, a label is an integer from 0. Number the classes in a view first.");
    }

    private static string Place(SqliteDataReader reader, int column, int row, SqliteOptions options) => $"'{options.Path}', row {row}, column '{reader.GetName(column)}'";

    private static string Rows(SqliteOptions options) => options.Table is { } table ? $"the table or view '{table}'" : $"the query of '{options.QueryFile}'";

    // Messages end up in journals, and what a device holds stays on it: they tell the place and never the content.
    private static string Describe(int type) => type switch
    {
        raw.SQLITE_NULL => "NULL",
        raw.SQLITE_TEXT => "a text",
        raw.SQLITE_BLOB => "a blob",
        raw.SQLITE_INTEGER => "an integer",
        _ => "a number with a fraction or beyond float32",
    };

    private static Exception Unreadable(SqliteOptions options, string place, string words, SqliteException e)
    {
        string message = $"'{options.Path}'{place}: {Rows(options)} cannot be read: {words}";
        return e.SqliteErrorCode is raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_CANTOPEN or raw.SQLITE_IOERR or raw.SQLITE_PERM
            ? new IOException(message, e)
            : new InvalidDataException(message, e);
    }
}
