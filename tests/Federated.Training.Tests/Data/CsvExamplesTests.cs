using System.Globalization;
using System.Text;
using CsCheck;
using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class CsvExamplesTests
{
    private static readonly CsvOptions NoHeader = new() { HasHeader = false, LabelColumn = "-1" };

    [Fact]
    public void Load_FileWithMarkAndHeader_TakesTheLabelByName()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("t.csv", [.. Encoding.UTF8.Preamble, .. "label,a,b\n1,0.5,-2e1\r\n0, 3 ,4\n"u8]);
        CsvExamples examples = CsvExamples.Load(path, new CsvOptions());
        AssertContent(examples, [0.5f, -20, 3, 4], [1, 0]);
    }

    [Theory]
    [InlineData("1", "a,7,b\n1,2,3\n", new float[] { 1, 3 }, 2L)]
    [InlineData("0", "x,y,z\n1,2,3", new float[] { 2, 3 }, 1L)]
    [InlineData("-1", "x,y,z\n1,2,3", new float[] { 1, 2 }, 3L)]
    [InlineData("2", "7,8,0\n4,9,5", new float[] { 4, 9 }, 5L)]
    [InlineData("the class", "\"the class\",b\n4,9", new float[] { 9 }, 4L)]
    public void Read_LabelByIndexOrQuotedName_FindsTheColumn(string column, string text, float[] features, long label) =>
        AssertContent(Read(text, new CsvOptions { LabelColumn = column }), features, [label]);

    [Fact]
    public void Read_HeaderNamedLikeAnIndex_PrefersTheName() =>
        AssertContent(Read("5,0\n6,1\n", new CsvOptions { LabelColumn = "0" }), [6], [1]);

    [Fact]
    public void Read_NoHeaderQuotesAndEmptyLines_AreUnderstood() =>
        AssertContent(Read("\n\"1\",2,\"0\"\n\n3,\"4\",1\r\n\r\n", NoHeader), [1, 2, 3, 4], [0, 1]);

    [Fact]
    public void Read_OtherDelimiterAndScale_AreApplied() =>
        AssertContent(Read("51;102;3", NoHeader with { Delimiter = ';', FeatureScale = 1 / 51f }), [1, 2], [3]);

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("label,a\n", "no records")]
    [InlineData("label\n1\n", "at least one feature")]
    [InlineData("a,b\n1,2\n", "no label column 'label'", "'a', 'b'", "0 to 1")]
    [InlineData("3.5,secret\n1,2\n", "no label column 'label'", "holds numbers", "0 to 1")]
    [InlineData("label,a\n1,2\n1,2,3\n", "line 3: 3 columns")]
    [InlineData("label,a\n1,2\n1\n", "line 3: 1 columns")]
    [InlineData("label,a\n1,2\n0,zwei\n", "line 3, column 3", "a text of 4 characters")]
    [InlineData("label,a\n1,\n", "line 2, column 3", "is empty")]
    [InlineData("label,a\n1,NaN\n", "line 2, column 3", "a text of 3 characters", "finite")]
    [InlineData("label,a\n1,1e99\n", "line 2, column 3", "a text of 4 characters")]
    [InlineData("label,a\n1.5,2\n", "line 2, column 1", "a text of 3 characters", "integer")]
    [InlineData("label,a\n-1,2\n", "line 2, column 1", "a text of 2 characters")]
    [InlineData("label,a\n\"1,2\n", "line 2, column 1", "never closed")]
    [InlineData("label,a\n\"1\"x,2\n", "line 2, column 4", "after a closing quote")]
    [InlineData("label,a\n1,2\"3\n", "line 2, column 4", "quote within")]
    [InlineData("label,\"a\n\nb\"\n1,x\n", "line 4, column 3", "a text of 1 characters")]
    public void Read_BadTable_NamesThePlaceAndNotTheContent(string text, params string[] words)
    {
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => Read(text, new CsvOptions()));
        Assert.All(words.Prepend("table.csv"), word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
        Assert.All(new[] { "zwei", "NaN", "1e99", "1.5", "secret" }, content => Assert.DoesNotContain(content, refusal.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_NotUtf8_IsRefused()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("t.csv", [.. "label,a\n1,"u8, 0xff, (byte)'\n']);
        Assert.Contains("not UTF-8", Assert.Throws<InvalidDataException>(() => CsvExamples.Load(path, new CsvOptions())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_UnclosedQuoteOverMuchText_StopsAtTheLimit()
    {
        string text = "label,a\n1,\"" + new string('7', CsvRecordReader.MaxRecordLength + 1);
        Assert.Contains("line 2: the record is longer", Assert.Throws<InvalidDataException>(() => Read(text, new CsvOptions())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AnyFieldsQuotedOrNot_ComeBackAsWritten()
    {
        Gen<string[][]> records = Gen.Char[" ,\"\r\nab"].Array[0, 6].Select(c => new string(c)).Array[1, 4].Array[1, 5];
        records.Sample(
            expected =>
            {
                string text = string.Concat(expected.Select(record => string.Join(',', record.Select(Quote)) + "\r\n"));
                CsvRecordReader reader = new(new StringReader(text), "t", ',');
                foreach (string[] record in expected)
                {
                    Assert.True(reader.Read());
                    Assert.Equal(record, Enumerable.Range(0, reader.FieldCount).Select(i => reader.Field(i).ToString()));
                }

                Assert.False(reader.Read());
            },
            iter: 500);

        static string Quote(string field) => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    [Fact]
    public void Read_AnyFiniteNumbers_ComeBackExactly() => Gen.Select(Gen.Float.Where(float.IsFinite), Gen.Int[0, 1000]).Array[1, 20].Sample(
        rows =>
        {
            string text = string.Join('\n', rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Item1:R},{r.Item2}")));
            AssertContent(Read(text, NoHeader), [.. rows.Select(r => r.Item1)], [.. rows.Select(r => (long)r.Item2)]);
        },
        iter: 200);

    private static CsvExamples Read(string text, CsvOptions options) => CsvExamples.Read(new StringReader(text), "table.csv", options);

    private static void AssertContent(CsvExamples examples, float[] features, long[] labels)
    {
        Assert.Equal(labels.Length, examples.Count);
        Assert.Equal(features.Length, examples.Count * examples.FeatureLength);
        float[] copiedFeatures = new float[features.Length];
        long[] copiedLabels = new long[labels.Length];
        examples.CopyTo([.. Enumerable.Range(0, labels.Length)], copiedFeatures, copiedLabels);
        Assert.Equal(features, copiedFeatures);
        Assert.Equal(labels, copiedLabels);
        Assert.Equal(labels, examples.Labels.ToArray());
    }
}
