using CsCheck;
using Federated.Shared.Updates.Indices;

namespace Federated.Shared.Tests.Updates.Indices;

public sealed class TopKSelectionTests
{
    [Fact]
    public void Select_HeavyTailed_IsTheSortedTwin() => Gen.Select(Gen.Int[1, 3_000], Gen.ULong, Gen.Double.Unit).Sample((length, seed, share) =>
    {
        float[] vector = Vectors.HeavyTailed(length, seed);
        return IsTwin(vector, Math.Clamp((int)(share * length), 1, length));
    }, iter: 300);

    [Fact]
    public void Select_ManyEqualMagnitudes_TakesTheLowerIndices() => Gen.Select(Gen.Int[-2, 2].Array[1, 200], Gen.Double.Unit).Sample((values, share) =>
    {
        float[] vector = [.. values.Select(value => (float)value)];
        return IsTwin(vector, Math.Clamp((int)(share * vector.Length), 1, vector.Length));
    });

    [Fact]
    public void Select_AnyBits_IsTheSortedTwin() => Gen.Int[-0x7f7f_ffff, 0x7f7f_ffff].Array[1, 100].Sample(bits =>
    {
        float[] vector = [.. bits.Select(value => BitConverter.Int32BitsToSingle(value & 0x7fffffff) * (value < 0 ? -1 : 1)).Select(v => float.IsFinite(v) ? v : 1f)];
        return IsTwin(vector, (vector.Length + 1) / 2);
    });

    [Fact]
    public void Select_FewerThanKNotZero_LeavesTheZerosOut()
    {
        int[] indices = new int[4];
        Assert.Equal(2, TopKSelection.Select([0f, 3f, -0f, -1e-45f, 0f], 4, indices));
        Assert.Equal([1, 3], indices[..2]);
    }

    [Fact]
    public void Select_ImpossibleCount_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TopKSelection.Select([1f], 0, new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => TopKSelection.Select([1f], 2, new int[2]));
        Assert.Throws<ArgumentException>(() => TopKSelection.Select([1f, 2f], 2, new int[1]));
    }

    private static bool IsTwin(float[] vector, int count)
    {
        int[] expected = [.. Enumerable.Range(0, vector.Length)
            .Where(i => vector[i] != 0)
            .OrderByDescending(i => MathF.Abs(vector[i])).ThenBy(i => i)
            .Take(count).Order()];
        int[] indices = new int[count];
        int found = TopKSelection.Select(vector, count, indices);
        return indices.AsSpan(0, found).SequenceEqual(expected);
    }
}
