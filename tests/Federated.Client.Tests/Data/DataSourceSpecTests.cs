using Federated.Client.Data;
using Federated.Training;

namespace Federated.Client.Tests.Data;

public sealed class DataSourceSpecTests
{
    [Fact]
    public void Parse_Idx_KeepsKeysAndSlice()
    {
        DataSourceSpec spec = DataSourceSpec.Parse("idx:images=a/b=c.idx,labels=/d.gz,slice=600:1200");

        Assert.Equal((DataSourceKind.Idx, "a/b=c.idx", "/d.gz", (600, 1200)), (spec.Kind, spec["images"], spec["labels"], spec.Slice));
    }

    [Theory]
    [InlineData("", "its kind is ''")]
    [InlineData("parquet:path=a", "its kind is 'parquet'")]
    [InlineData("idx", "'images' is missing")]
    [InlineData("idx:images=a", "'labels' is missing")]
    [InlineData("csv:path=a,label=b,delimiter=;", "the key 'delimiter' is unknown")]
    [InlineData("csv:path=,label=b", "'path' has no value")]
    [InlineData("csv:path=a,path=b,label=c", "'path' occurs twice")]
    [InlineData("csv:path=a,label=b,slice=5", "the slice is '5'")]
    [InlineData("csv:path=a,label=b,slice=-1:5", "the slice is '-1:5'")]
    [InlineData("csv:path=a,label=b,slice=0:0", "the slice is '0:0'")]
    [InlineData("csv:path=a,label=b,slice=0:99999999999", "the slice is '0:99999999999'")]
    public void Parse_Wrong_SaysWhatAndWhatIsAllowed(string text, string what)
    {
        FormatException e = Assert.Throws<FormatException>(() => DataSourceSpec.Parse(text));

        Assert.Contains(what, e.Message, StringComparison.Ordinal);
        Assert.Contains("Allowed: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Csv_GivesTheSlice()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "x,kind\n1,0\n2,1\n3,0\n4,1\n");

            IExampleSource examples = DataSourceSpec.Parse($"csv:path={path},label=kind,slice=1:2").Open();

            Assert.Equal((2, 1), (examples.Count, examples.Format.FeatureLength));
            float[] features = new float[2];
            long[] labels = new long[2];
            examples.CopyTo([0, 1], features, labels);
            Assert.Equal([2f, 3f], features);
            Assert.Equal([1L, 0L], labels);

            FormatException e = Assert.Throws<FormatException>(() => DataSourceSpec.Parse($"csv:path={path},label=kind,slice=3:2").Open());
            Assert.Contains("ends beyond the 4 examples", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
