using Federated.Client.Data;
using Federated.Testing;
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
    [InlineData("csv:path=a,label=b,limit=0", "the limit is '0'")]
    [InlineData("csv:path=a,label=b,limit=1e3", "the limit is '1e3'")]
    [InlineData("idx:images=a,labels=b,holdout=1", "the hold-out is '1'")]
    [InlineData("text:folder=a,length=4,holdout=-0.1", "the hold-out is '-0.1'")]
    [InlineData("text:folder=a,length=4,holdout=0,1", "the key '1' is unknown")]
    [InlineData("tokens:path=a,length=4,holdout=0", "the hold-out is '0'")]
    [InlineData("tokens:path=a,length=4,holdout=NaN", "the hold-out is 'NaN'")]
    [InlineData("tokens:path=a,length=4,seed=x", "the seed is 'x'")]
    [InlineData("tokens:path=a,length=4,hold-out=0.1", "the key 'hold-out' is unknown")]
    [InlineData("csv:path=a,label=b,target=c", "'label' and 'target' are both there")]
    [InlineData("csv:path=a,table=b,label=c", "the key 'table' is unknown")]
    [InlineData("sqlite:path=a,label=c", "'table' is missing")]
    [InlineData("sqlite:path=a,table=b", "'label' is missing")]
    [InlineData("sqlite:table=b,target=c", "'path' is missing")]
    [InlineData("sqlite:path=a,table=b,queryFile=c,label=d", "'table' and 'queryFile' are both there")]
    [InlineData("sqlite:path=a,queryFile=b,label=c,target=d", "'label' and 'target' are both there")]
    [InlineData("sqlite:path=a,table=b,label=c,holdout=2", "the hold-out is '2'")]
    [InlineData("images:folder=a,size=8x8", "'channels' is missing")]
    [InlineData("images:folder=a,size=8x8,channels=1,slice=0:1", "the key 'slice' is unknown")]
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

            IExampleSource examples = DataSourceSpec.Parse($"csv:path={path},label=kind,slice=1:2").Open(TimeProvider.System).Training;

            Assert.Equal((2, 1), (examples.Count, examples.Format.FeatureLength));
            float[] features = new float[2];
            long[] labels = new long[2];
            examples.CopyTo([0, 1], features, labels);
            Assert.Equal([2f, 3f], features);
            Assert.Equal([1L, 0L], labels);

            FormatException e = Assert.Throws<FormatException>(() => DataSourceSpec.Parse($"csv:path={path},label=kind,slice=3:2").Open(TimeProvider.System));
            Assert.Contains("ends beyond the 4 examples", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Open_HoldOutAndLimit_AreOfEveryKind()
    {
        using TemporaryFolder folder = new();
        int[] numbers = [.. Enumerable.Range(0, 200)];
        folder.Write("a.csv", System.Text.Encoding.UTF8.GetBytes("x,kind\n" + string.Concat(numbers.Select(n => $"{n},{n % 2}\n"))));
        folder.Write("images.idx", [0, 0, 8, 2, 0, 0, 0, 200, 0, 0, 0, 1, .. numbers.Select(n => (byte)n)]);
        folder.Write("labels.idx", [0, 0, 8, 1, 0, 0, 0, 200, .. numbers.Select(n => (byte)(n % 2))]);
        folder.Write("a.txt", [.. numbers.Select(n => (byte)(' ' + (n * n % 90)))]);
        folder.Write("a.tokens", [.. numbers.SelectMany(n => BitConverter.GetBytes(n))]);
        string[] sources =
        [
            $"csv:path={folder.Path}/a.csv,label=kind",
            $"idx:images={folder.Path}/images.idx,labels={folder.Path}/labels.idx",
            $"text:folder={folder.Path},length=1",
            $"tokens:path={folder.Path}/a.tokens,length=1",
        ];
        foreach (string source in sources)
        {
            int all = DataSourceSpec.Parse(source).Open(TimeProvider.System).Training.Count;
            DeviceExamples parted = DataSourceSpec.Parse(source + ",holdout=0.25").Open(TimeProvider.System);
            Assert.True(parted.HeldOut.Count is > 20 and < 90, $"{source}: {parted.HeldOut.Count} of {all}");
            Assert.Equal(all, parted.Training.Count + parted.HeldOut.Count);
            DeviceExamples limited = DataSourceSpec.Parse(source + ",holdout=0.25,limit=7").Open(TimeProvider.System);
            Assert.Equal((7, parted.HeldOut.Count), (limited.Training.Count, limited.HeldOut.Count));
            Assert.Equal(limited.Training.Format, limited.HeldOut.Format);
        }
    }
}
