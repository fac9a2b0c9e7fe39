using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class ExampleSubsetTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(1000)]
    public void CopyTo_AnySize_GoesThroughTheIndices(int count)
    {
        ArrayExamples source = new([.. Enumerable.Range(0, 2000).Select(i => new float[] { i })], [.. Enumerable.Range(0, 2000).Select(i => (long)i)]);
        ExampleSubset subset = new(source, [.. Enumerable.Range(0, count).Select(i => 1999 - i)]);
        float[] features = new float[count];
        long[] labels = new long[count];
        subset.CopyTo([.. Enumerable.Range(0, count)], features, labels);
        Assert.Equal((count, 1), (subset.Count, subset.Format.FeatureLength));
        Assert.Equal(Enumerable.Range(0, count).Select(i => 1999f - i), features);
        Assert.Equal(Enumerable.Range(0, count).Select(i => 1999L - i), labels);
    }

    [Fact]
    public void CopyTo_BatchOfUsualSize_AllocatesNothing()
    {
        ExampleSubset subset = new(new IdxExamples(new byte[40], new byte[10], [4]), [9, 8, 7]);
        float[] features = new float[8];
        long[] labels = new long[2];
        subset.CopyTo([0, 1], features, labels);
        long before = GC.GetAllocatedBytesForCurrentThread();
        subset.CopyTo([2, 1], features, labels);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    public void Constructor_IndexOutsideTheSource_IsRefused(int index)
    {
        ArgumentOutOfRangeException refusal = Assert.Throws<ArgumentOutOfRangeException>(() => new ExampleSubset(ArrayExamples.Ones(5), [0, index]));
        Assert.Contains("5 examples (0 to 4)", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(index, refusal.ActualValue);
    }
}
