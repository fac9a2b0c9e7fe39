using System.Runtime.Intrinsics;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Indices;

namespace Federated.Shared.Tests.Updates.Indices;

public sealed class ResidualVotesTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(50, 4)]
    [InlineData(1000, 17)]
    [InlineData(1000, 1000)]
    public void Cast_AnyBuckets_CountsEachSquareOnceInEachHalf(int parameters, int buckets)
    {
        float[] residual = Vectors.Normal(parameters, 3);
        float[] votes = new float[buckets];
        for (ulong seed = 1; seed <= 20; seed++)
        {
            ResidualVotes.Cast(seed, residual, votes);
            double squares = residual.Sum(value => (double)value * value);
            int runs = buckets < 4 ? 0 : buckets / 2;
            Assert.Equal(runs == 0 ? 0 : squares, votes.Take(runs).Sum(vote => (double)vote), 1e-4 * squares);
            Assert.Equal(squares, votes.Skip(runs).Sum(vote => (double)vote), 1e-4 * squares);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(50, 4)]
    [InlineData(1021, 17)]
    [InlineData(5000, 1250)]
    [InlineData(1030, 1030)]
    public void Cast_AnyLength_PutsEachParameterWhereTheDocumentSays(int parameters, int buckets)
    {
        float[] residual = Vectors.Normal(parameters, 4);
        float[] votes = new float[buckets];
        ResidualVotes.Cast(9, residual, votes);

        int runs = buckets < 4 ? 0 : buckets / 2;
        float[] expected = new float[buckets];
        LaneGenerator random = LaneGenerator.For(9, "votes");
        int runLength = runs == 0 ? 1 : (parameters + runs - 2) / (runs - 1);
        int shift = runs == 0 ? 0 : (int)(random.NextBits()[0] % (uint)runLength);
        Vector256<uint> bits = default;
        for (int i = 0; i < parameters; i++)
        {
            bits = i % 8 == 0 ? random.NextBits() : bits;
            expected[runs + (int)((bits[i % 8] * (ulong)(buckets - runs)) >> 32)] += residual[i] * residual[i];
            if (runs > 0)
            {
                expected[(i + shift) / runLength] += residual[i] * residual[i];
            }
        }

        Assert.Equal(expected, votes);
    }

    [Fact]
    public void Cast_Runs_AreNeighboursWithBoundsThatTheSeedShifts()
    {
        float[] one = new float[1000];
        one[500] = 1;
        HashSet<int> runs = [];
        float[] votes = new float[20];
        for (ulong seed = 1; seed <= 50; seed++)
        {
            ResidualVotes.Cast(seed, one, votes);
            runs.Add(Array.FindIndex(votes, vote => vote > 0));
        }

        // Nine runs of 112 and one more for the shift: 500 is in the fifth or the sixth.
        Assert.Equal([4, 5], runs.Order());
    }

    [Fact]
    public void Count_RoundsOfSums_FindsTheLargestOfMany()
    {
        // A fiftieth of the parameters is large, wherever it lies; forty sums a round tell.
        const int Parameters = 2000;
        const int Large = 40;
        float[] residual = Vectors.Normal(Parameters, 5).Select(value => 0.1f * value).ToArray();
        int[] large = [.. Enumerable.Range(0, Large).Select(i => (i * 997) % Parameters).Order()];
        foreach (int index in large)
        {
            residual[index] = 3;
        }

        ResidualVotes votes = new(Parameters);
        float[] sums = new float[Large];
        for (ulong round = 1; round <= 60; round++)
        {
            ResidualVotes.Cast(round, residual, sums);
            votes.Count(round, sums);
        }

        int found = votes.Elect(1, Large).Indices.Indices.ToArray().Intersect(large).Count();
        Assert.InRange(found, (int)(0.9 * Large), Large);
        Assert.Equal(1, votes.Scores.ToArray().Average(), 1e-3f);
    }

    [Fact]
    public void Count_ParameterGrows_IsElectedThen()
    {
        float[] residual = new float[100];
        residual[3] = 1;
        ResidualVotes votes = new(100);
        float[] sums = new float[20];
        Count(1, 30);
        Assert.Equal([3], votes.Elect(1, 1).Indices.Indices.ToArray());

        residual[3] = 0;
        residual[77] = 1;
        Count(31, 60);
        Assert.Equal([77], votes.Elect(1, 1).Indices.Indices.ToArray());

        void Count(ulong first, ulong last)
        {
            for (ulong round = first; round <= last; round++)
            {
                ResidualVotes.Cast(round, residual, sums);
                votes.Count(round, sums);
            }
        }
    }

    [Fact]
    public void Count_NothingOrLessThanNothing_ChangesNothing()
    {
        ResidualVotes votes = new(10);
        votes.Count(1, [0f, -1f, 0f, -0.5f]);
        Assert.All(votes.Scores.ToArray(), score => Assert.Equal(0f, score));
        Assert.Equal(3, votes.Elect(1, 3).Indices.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => votes.Count(1, []));
    }
}
