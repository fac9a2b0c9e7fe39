using System.Buffers.Binary;
using System.Security.Cryptography;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class ExampleSplitTests
{
    [Fact]
    public void Of_ExamplesAddedAndMoved_KeepsEverySide()
    {
        ExampleSplit before = ExampleSplit.Of(Numbered(Enumerable.Range(0, 1000)), 0.1, null, 5);

        int[] more = [.. Enumerable.Range(0, 3000).Reverse()];
        ExampleSplit after = ExampleSplit.Of(Numbered(more), 0.1, null, 5);

        Assert.Equal(before.HeldOut, after.HeldOut.Select(i => more[i]).Where(n => n < 1000).Order());
        Assert.InRange(before.HeldOut.Length, 70, 130);
        Assert.Equal(Enumerable.Range(0, 1000), before.HeldOut.Concat(before.Training).Order());
    }

    [Fact]
    public void Of_OneExampleAddedUnderALimit_PutsOutOneAtMost()
    {
        int[] chosen = ExampleSplit.Of(Numbered(Enumerable.Range(0, 100)), 0, 10, 1).Training;
        for (int count = 101; count < 200; count++)
        {
            int[] next = ExampleSplit.Of(Numbered(Enumerable.Range(0, count)), 0, 10, 1).Training;
            Assert.Equal(10, next.Length);
            Assert.True(chosen.Except(next).Count() <= 1);
            chosen = next;
        }
    }

    [Fact]
    public void Of_Copies_LieOnOneSide()
    {
        int[] numbers = [.. Enumerable.Range(0, 300), .. Enumerable.Range(0, 300)];

        ExampleSplit split = ExampleSplit.Of(Numbered(numbers), 0.5, 40, 2);

        Assert.Empty(split.Training.Select(i => numbers[i]).Intersect(split.HeldOut.Select(i => numbers[i])));
        Assert.Equal(40, split.Training.Length);
    }

    [Fact]
    public void Of_OtherSeed_ChoosesOthers() => Assert.NotEqual(
        ExampleSplit.Of(Numbered(Enumerable.Range(0, 200)), 0.5, null, 1).HeldOut,
        ExampleSplit.Of(Numbered(Enumerable.Range(0, 200)), 0.5, null, 2).HeldOut);

    [Fact]
    public void Of_Known_IsTheDefinition()
    {
        int[] expected = [.. Enumerable.Range(0, 50).Where(n =>
        {
            byte[] bytes = new byte[12];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, 9);
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(8), n);
            return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(bytes)) / Math.Pow(2, 64) < 0.3;
        })];

        Assert.Equal(expected, ExampleSplit.Of(Numbered(Enumerable.Range(0, 50)), 0.3, null, 9).HeldOut);
    }

    [Theory]
    [InlineData(1.0, null)]
    [InlineData(-0.1, null)]
    [InlineData(double.NaN, null)]
    [InlineData(0.1, 0)]
    public void Of_OutOfRange_IsRefused(double holdOut, int? limit) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ExampleSplit.Of(Numbered([1, 2]), holdOut, limit, 0));

    private static ArrayExamples Numbered(IEnumerable<int> numbers) =>
        new([.. numbers.Select(n => new float[] { n })], [.. numbers.Select(n => (long)n)]);
}
