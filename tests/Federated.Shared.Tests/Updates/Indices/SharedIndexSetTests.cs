using CsCheck;
using Federated.Shared.Updates.Indices;

namespace Federated.Shared.Tests.Updates.Indices;

public sealed class SharedIndexSetTests
{
    [Fact]
    public void Random_AnySize_HasThatManyDistinctIndicesAndRepeats() => Gen.Select(Gen.Int[1, 500], Gen.Double.Unit, Gen.ULong).Sample((parameters, share, seed) =>
    {
        int count = Math.Clamp((int)(share * parameters), 1, parameters);
        IndexSet set = SharedIndexSet.Random(seed, parameters, count).Indices;
        return set.Count == count && set.Indices.SequenceEqual(SharedIndexSet.Random(seed, parameters, count).Indices.Indices);
    });

    [Theory]
    [InlineData(20)]
    [InlineData(150)]
    public void Random_ManySeeds_TakeEveryIndexEquallyOften(int count)
    {
        const int Parameters = 200;
        const int Trials = 20_000;
        int[] taken = new int[Parameters];
        for (int seed = 0; seed < Trials; seed++)
        {
            foreach (int index in SharedIndexSet.Random((ulong)seed, Parameters, count).Indices.Indices)
            {
                taken[index]++;
            }
        }

        // Each is binomial; five standard deviations, two-sided 6e-7 an index, 1e-4 for all.
        double share = count / (double)Parameters;
        double expected = Trials * share;
        double deviation = Math.Sqrt(Trials * share * (1 - share));
        Assert.All(taken, times => Assert.InRange(times, expected - (5 * deviation), expected + (5 * deviation)));
    }

    [Fact]
    public void Random_ScaledScatter_IsUnbiased() => DemandUnbiased(seed => SharedIndexSet.Random(seed, 40, 7));

    [Fact]
    public void Momentum_ScaledScatter_IsUnbiased()
    {
        float[] momentum = Vectors.HeavyTailed(40, 9);
        DemandUnbiased(seed => SharedIndexSet.Momentum(seed, momentum, 5, 6));
    }

    [Fact]
    public void Momentum_Set_HoldsTheLargestUnscaledAndDistinctOthersScaled()
    {
        float[] momentum = new float[100];
        momentum[3] = 5;
        momentum[50] = -6;
        momentum[99] = 4;
        SharedIndexSet set = SharedIndexSet.Momentum(1, momentum, 3, 10);

        Assert.Equal(13, set.Indices.Count);
        for (int i = 0; i < set.Indices.Count; i++)
        {
            bool certain = set.Indices.Indices[i] is 3 or 50 or 99;
            Assert.Equal(certain ? 1f : 9.7f, set.ScaleOf(i));
        }

        Assert.Equal(3, set.Indices.Indices.ToArray().Count(i => i is 3 or 50 or 99));
        Assert.False(set.KeepsResidual);
    }

    [Fact]
    public void Voted_Scores_TakesTheLargestAndKeepsResiduals()
    {
        SharedIndexSet set = SharedIndexSet.Voted(1, [1f, 0f, 3f, 2f], 2);
        Assert.Equal([2, 3], set.Indices.Indices.ToArray());
        Assert.Equal(1f, set.ScaleOf(0));
        Assert.True(set.KeepsResidual);
    }

    [Fact]
    public void Voted_FewScores_AreMadeUpAtRandomAndUnscaled()
    {
        float[] scores = new float[50];
        scores[7] = 1;
        SharedIndexSet one = SharedIndexSet.Voted(1, scores, 10);
        SharedIndexSet other = SharedIndexSet.Voted(2, scores, 10);

        Assert.Equal(10, one.Indices.Count);
        Assert.Contains(7, one.Indices.Indices.ToArray());
        Assert.NotEqual(one.Indices.Indices.ToArray(), other.Indices.Indices.ToArray());
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(1f, one.ScaleOf(i)));
    }

    [Fact]
    public void IndexSet_NotAscending_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new IndexSet(5, [1, 1]));
        Assert.Throws<ArgumentException>(() => new IndexSet(5, [2, 1]));
        Assert.Throws<ArgumentException>(() => new IndexSet(5, [5]));
        Assert.Throws<ArgumentException>(() => new IndexSet(5, [-1]));
    }

    /// <summary>
    /// The mean of many seeds' estimates against the vector: five standard errors a coordinate, a false alarm of 2e-5 for all.
    /// </summary>
    private static void DemandUnbiased(Func<ulong, SharedIndexSet> draw)
    {
        const int Parameters = 40;
        const int Trials = 40_000;
        float[] vector = Vectors.Normal(Parameters, 4);
        double[] sum = new double[Parameters];
        double[] squares = new double[Parameters];
        float[] spread = new float[Parameters];
        for (int seed = 0; seed < Trials; seed++)
        {
            SharedIndexSet set = draw((ulong)seed);
            float[] values = new float[set.Indices.Count];
            set.Indices.Gather(vector, values);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] *= set.ScaleOf(i);
            }

            set.Indices.Scatter(values, spread);
            for (int i = 0; i < Parameters; i++)
            {
                sum[i] += spread[i];
                squares[i] += (double)spread[i] * spread[i];
            }
        }

        for (int i = 0; i < Parameters; i++)
        {
            double mean = sum[i] / Trials;
            double error = Math.Sqrt(Math.Max(0, (squares[i] / Trials) - (mean * mean)) / Trials);
            Assert.InRange(mean, vector[i] - (5 * error) - 1e-5, vector[i] + (5 * error) + 1e-5);
        }
    }
}
