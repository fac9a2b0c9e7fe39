using CsCheck;
using Federated.Shared.Models;
using Microsoft.Data.Sqlite;

namespace Federated.Training.Sqlite.Tests;

public sealed class SqliteExamplesTests
{
    private const string Content = "Beethoven";

    [Fact]
    public void Load_Table_TakesTheColumnsInOrder()
    {
        using Database database = new("CREATE TABLE t (a, Label INTEGER, b REAL)", "INSERT INTO t VALUES (0.5, 1, -20), (3, 0, 4)");

        AssertContent(database.Load(), [0.5f, -20, 3, 4], [1, 0]);
    }

    [Fact]
    public void Load_ViewWithTarget_GivesNumbers()
    {
        using Database database = new(
            "CREATE TABLE readings (at TEXT, x REAL, y REAL)", "INSERT INTO readings VALUES ('2026-01-01', 1, 1.5), ('2026-01-02', 2, NULL), ('2026-01-03', 3, -2)",
            "CREATE VIEW \"the \"\"good\"\" ones\" AS SELECT x, x * 2 AS twice, y FROM readings WHERE y IS NOT NULL ORDER BY at DESC");

        SqliteExamples examples = database.Load(label: "y", number: true, table: "the \"good\" ones");

        Assert.Equal(new ExampleFormat(ElementType.Float32, 2, ElementType.Float32, 1), examples.Format);
        float[] features = new float[4];
        float[] targets = new float[2];
        examples.CopyTo([0, 1], new ExampleBatch(features, [], [], targets));
        Assert.Equal([3, 6, 1, 2], features);
        Assert.Equal([-2f, 1.5f], targets);
        Assert.True(examples.Labels.IsEmpty);
    }

    [Fact]
    public void Load_AnyFiniteNumbers_ComeBackExactly()
    {
        using Database database = new("CREATE TABLE t (x, label)");
        Gen.Select(Gen.Float.Where(float.IsFinite), Gen.Int[0, 1000]).Array[1, 20].Sample(
            rows =>
            {
                using (SqliteConnection connection = database.Open())
                {
                    Database.Run(connection, "DELETE FROM t");
                    foreach ((float x, int label) in rows)
                    {
                        Database.Run(connection, "INSERT INTO t VALUES ($x, $label)", ("$x", x), ("$label", label));
                    }
                }

                AssertContent(database.Load(), [.. rows.Select(r => r.Item1)], [.. rows.Select(r => (long)r.Item2)]);
            },
            iter: 20,
            threads: 1);
    }

    [Theory]
    [InlineData("1, NULL", "row 2, column 'x' is NULL")]
    [InlineData("1, 'Beethoven'", "row 2, column 'x' is a text")]
    [InlineData("1, '2'", "row 2, column 'x' is a text")]
    [InlineData("1, x'00ff00ff'", "row 2, column 'x' is a blob")]
    [InlineData("1, 9e98", "row 2, column 'x' is a number with a fraction or beyond float32")]
    [InlineData("1, -9e999", "row 2, column 'x' is a number with a fraction or beyond float32")]
    [InlineData("NULL, 2", "row 2, column 'label' is NULL")]
    [InlineData("1.5, 2", "row 2, column 'label' is a number with a fraction", "an integer from 0")]
    [InlineData("-7654, 2", "row 2, column 'label' is below 0")]
    [InlineData("'Beethoven', 2", "row 2, column 'label' is a text")]
    public void Load_BadRow_NamesThePlaceAndNotTheContent(string row, params string[] words)
    {
        using Database database = new("CREATE TABLE t (label, x)", $"INSERT INTO t VALUES (0, 1), ({row})");

        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => database.Load());

        Assert.All(words.Prepend("examples.db"), word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
        Assert.All([Content, "7654", "9e98", "1.5"], content => Assert.DoesNotContain(content, refusal.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("t", "colour", "has no column 'colour'", "'label', 'x'")]
    [InlineData("nobody", "label", "no such table: nobody")]
    [InlineData("t; DROP TABLE t", "label", "no such table: t; DROP TABLE t")]
    [InlineData("narrow", "label", "has 1 column")]
    [InlineData("empty", "label", "the table or view 'empty' has no rows")]
    [InlineData("broken", "label", "no such column: gone")]
    public void Load_BadTable_SaysWhat(string table, string label, params string[] words)
    {
        using Database database = new(
            "CREATE TABLE t (label, x)", "INSERT INTO t VALUES (0, 1)", "CREATE TABLE narrow (label)", "CREATE TABLE empty (label, x)",
            "CREATE VIEW broken AS SELECT label, gone FROM t");

        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => database.Load(table: table, label: label));

        Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
        AssertContent(database.Load(), [1], [0]);
    }

    [Fact]
    public void Load_NoFileOrNoDatabase_IsRefused()
    {
        using Database database = new();
        Assert.Contains("no database", Assert.Throws<FileNotFoundException>(
            () => SqliteExamples.Load(new SqliteOptions { Path = database.Path + "x", Table = "t", LabelColumn = "label" })).Message, StringComparison.Ordinal);

        File.WriteAllText(database.Path, $"{Content} {new string('x', 4096)}");
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => database.Load());
        Assert.Contains("not a database", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Content, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT a.x, b.kind AS label FROM a JOIN b ON a.id = b.id ORDER BY a.id DESC;")]
    [InlineData("-- the newest first\nWITH all_of_them AS (SELECT a.id, x, kind FROM a JOIN b USING (id))\nSELECT x, kind AS label FROM all_of_them ORDER BY id DESC -- so\n")]
    public void Load_Query_GivesItsRows(string query)
    {
        using Database database = new(
            "CREATE TABLE a (id, x)", "INSERT INTO a VALUES (1, 10), (2, 20), (3, 30)", "CREATE TABLE b (id, kind)", "INSERT INTO b VALUES (1, 0), (3, 2)");

        AssertContent(database.Load(query), [30, 10], [2, 0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SELECT x, label FROM t; SELECT x, label FROM t")]
    [InlineData("SELECT x, label FROM t; VACUUM INTO 'FOLDER/copy.db'")]
    [InlineData("SELECT x, label FROM t); VACUUM INTO 'FOLDER/copy.db'; SELECT * FROM (SELECT 1")]
    [InlineData("VACUUM INTO 'FOLDER/copy.db'")]
    [InlineData("ATTACH 'FOLDER/copy.db' AS other")]
    [InlineData("PRAGMA user_version = 7")]
    [InlineData("DELETE FROM t RETURNING x, label")]
    [InlineData("INSERT INTO t VALUES (1, 1)")]
    [InlineData("SELECT x, label, label FROM t")]
    public void Load_QueryThatIsNotOneSelectOfExamples_IsRefusedAndDoesNothing(string query)
    {
        using Database database = new("CREATE TABLE t (x, label)", "INSERT INTO t VALUES (1, 0)");
        byte[] before = File.ReadAllBytes(database.Path);

        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => database.Load(query.Replace("FOLDER", database.Folder, StringComparison.Ordinal)));

        Assert.Contains("the query of '", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(database.Path));
        Assert.False(File.Exists(Path.Combine(database.Folder, "copy.db")));
    }

    [Fact]
    public void Load_SqliteFailsOnARow_TellsTheRowAndNotItsContent()
    {
        using Database database = new("CREATE TABLE t (note, label)", $"INSERT INTO t VALUES ('$.a', 0), ('{Content}', 1)");
        const string query = "SELECT json_extract('{\"a\": 1}', note) AS x, label FROM t";

        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => database.Load(query));

        Assert.Contains(", row 2: the query", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Content, refusal.Message, StringComparison.Ordinal);
        SqliteException inner = Assert.IsType<SqliteException>(refusal.InnerException);
        Assert.Contains(Content, inner.Message, StringComparison.Ordinal); // What would have been told.
    }

    [Fact]
    public void Load_WhileAnotherProgramWrites_ReadsOneMoment()
    {
        using Database database = new("PRAGMA journal_mode = WAL", "CREATE TABLE t (x, label)", "INSERT INTO t VALUES (1, 0)");
        using SqliteConnection writer = database.Open();
        Database.Run(writer, "BEGIN IMMEDIATE");
        Database.Run(writer, "INSERT INTO t VALUES (2, 1)");

        AssertContent(database.Load(), [1], [0]);

        Database.Run(writer, "COMMIT");
        AssertContent(database.Load(), [1, 2], [0, 1]);
    }

    [Fact]
    public void Load_LockedDatabase_SaysSo()
    {
        using Database database = new("CREATE TABLE t (x, label)", "INSERT INTO t VALUES (1, 0)");
        using SqliteConnection writer = database.Open();
        Database.Run(writer, "BEGIN EXCLUSIVE");

        Assert.Contains("locked", Assert.Throws<IOException>(() => database.Load()).Message, StringComparison.Ordinal);
    }

    private static void AssertContent(SqliteExamples examples, float[] features, long[] labels)
    {
        Assert.Equal(labels.Length, examples.Count);
        float[] copiedFeatures = new float[features.Length];
        long[] copiedLabels = new long[labels.Length];
        examples.CopyTo([.. Enumerable.Range(0, labels.Length)], copiedFeatures, copiedLabels);
        Assert.Equal(features, copiedFeatures);
        Assert.Equal(labels, copiedLabels);
        Assert.Equal(labels, examples.Labels.ToArray());
    }
}
