using System.Numerics;
using System.Runtime.InteropServices;
using CsCheck;
using Federated.Server.Aggregation;
using Federated.Shared.Randomness;

namespace Federated.Server.Tests.Aggregation;

public sealed class RunningSumTests
{
    private static PendingUpdate Pending(float[] update, int weight, int misalignment = 0)
    {
        byte[] bytes = new byte[(update.Length * sizeof(float)) + misalignment];
        MemoryMarshal.AsBytes<float>(update).CopyTo(bytes.AsSpan(misalignment));
        UpdateCheck check = RunningSum.Check(update, weight);
        Assert.True(check.InRange);
        return new PendingUpdate(bytes.AsMemory(misalignment), weight, check.MaxMagnitude);
    }

    private static float[] RandomUpdate(SeededGenerator generator, int length, double scale)
    {
        float[] update = new float[length];
        for (int i = 0; i < length; i++)
        {
            update[i] = (float)(generator.NextGaussian() * scale);
        }

        return update;
    }

    [Fact]
    public void Fold_AnyBatches_EqualsTheScalarTwin() =>
        Gen.Select(Gen.Int[1, 2200], Gen.Int[0, 11], Gen.Int[0, 7], Gen.ULong, Gen.Double[-9, 4]).Sample((length, count, misalignment, seed, magnitude) =>
        {
            SeededGenerator generator = SeededGenerator.For(seed, "test");
            RunningSum fast = new(length);
            ScalarRunningSum slow = new(length);
            PendingUpdate[] batch = new PendingUpdate[count];
            for (int i = 0; i < count; i++)
            {
                float[] update = RandomUpdate(generator, length, Math.Pow(10, magnitude));
                int weight = 1 + generator.NextInt(40);
                batch[i] = Pending(update, weight, misalignment);
                slow.Fold(update, weight);
            }

            int split = generator.NextInt(count + 1);
            fast.Fold(batch.AsSpan(0, split));
            fast.Fold(batch.AsSpan(split));

            return fast.Count == count && fast.TotalWeight == slow.TotalWeight
                && fast.Values.ToArray().Select(value => (BigInteger)value).SequenceEqual(slow.Values)
                && fast.Values.ToArray().All(value => Math.Abs(value) <= fast.Bound);
        }, iter: 300);

    [Fact]
    public void Fold_LargeBatchOnSeveralThreads_EqualsOneByOneInAnyOrder()
    {
        const int Length = 200_003;
        SeededGenerator generator = SeededGenerator.For(3, "test");
        PendingUpdate[] batch = [.. Enumerable.Range(0, 7).Select(i => Pending(RandomUpdate(generator, Length, 0.01), 1 + i, i))];
        RunningSum together = new(Length);
        together.Fold(batch);

        RunningSum oneByOne = new(Length);
        generator.Shuffle<PendingUpdate>(batch);
        foreach (PendingUpdate update in batch)
        {
            oneByOne.Fold([update]);
        }

        Assert.True(together.Values.SequenceEqual(oneByOne.Values));
        Assert.Equal(together.Bound, oneByOne.Bound);
        Assert.Equal(28, together.TotalWeight);
    }

    // 0.5·2^-28 is a tie and goes to even 0; 1.5·2^-28 goes to 2; -1 is -2^28.
    [Theory]
    [InlineData(1.862645149230957e-9f, 1, 0)]
    [InlineData(5.587935447692871e-9f, 1, 2)]
    [InlineData(-5.587935447692871e-9f, 1, -2)]
    [InlineData(1.862645149230957e-9f, 3, 2)]
    [InlineData(-1f, 1, -268435456)]
    [InlineData(0.25f, 12, 805306368)]
    [InlineData(4194303.75f, 1, 1125899839733760)]
    [InlineData(-4194303.75f, 1, -1125899839733760)]
    public void Fold_KnownValue_GivesItsFixedPoint(float value, int weight, long expected)
    {
        // 17 equal values pass through every width of the kernel and its tail.
        float[] update = [.. Enumerable.Repeat(value, 17)];
        RunningSum sum = new(17);
        sum.Fold([Pending(update, weight)]);
        Assert.All(sum.Values.ToArray(), actual => Assert.Equal(expected, actual));
    }

    [Fact]
    public void Mean_TwoWeights_IsTheWeightedMean()
    {
        RunningSum sum = new(2);
        sum.Fold([Pending([1f, -2f], 1), Pending([5f, 2f], 3)]);
        float[] mean = new float[2];
        sum.Mean(mean);
        Assert.Equal([4f, 1f], mean);
    }

    [Fact]
    public void Mean_OfNothing_IsRefused() => Assert.Throws<InvalidOperationException>(() => new RunningSum(2).Mean(new float[2]));

    [Fact]
    public void Add_TwoGroups_EqualsOneGroup()
    {
        SeededGenerator generator = SeededGenerator.For(4, "test");
        PendingUpdate[] batch = [.. Enumerable.Range(0, 5).Select(i => Pending(RandomUpdate(generator, 37, 1), 1 + i))];
        RunningSum all = new(37);
        all.Fold(batch);
        RunningSum left = new(37);
        left.Fold(batch.AsSpan(0, 2));
        RunningSum right = new(37);
        right.Fold(batch.AsSpan(2));
        left.Add(right);
        Assert.True(left.Values.SequenceEqual(all.Values));
        Assert.Equal((all.Count, all.TotalWeight, all.Bound), (left.Count, left.TotalWeight, left.Bound));
    }

    [Fact]
    public void Add_OtherShape_IsRefused() => Assert.Throws<ArgumentException>(() => new RunningSum(2).Add(new RunningSum(3)));

    [Fact]
    public void CanFold_BoundExhausted_RefusesAndFoldChangesNothing()
    {
        // Each contribution is just below 2^50, so 4096 of them stay within 2^62 and no more.
        PendingUpdate large = Pending([4194303.75f], 1);
        RunningSum sum = new(1);
        PendingUpdate[] most = [.. Enumerable.Repeat(large, 4096)];
        sum.Fold(most);
        Assert.False(sum.CanFold(large.MaxMagnitude, large.Weight));
        Assert.True(sum.CanFold(0.001f, 1));
        long before = sum.Values[0];
        Assert.Throws<InvalidOperationException>(() => sum.Fold([Pending([0f], 1), large]));
        Assert.Equal((before, 4096, 4096L), (sum.Values[0], sum.Count, sum.TotalWeight));
        Assert.Equal(4096L * 1125899839733760L, before);
        RunningSum other = new(1);
        other.Fold(most);
        Assert.Throws<InvalidOperationException>(() => sum.Add(other));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Check_OneValueNotFinite_IsFoundAtEveryPosition(float poison)
    {
        for (int length = 1; length <= 70; length++)
        {
            for (int position = 0; position < length; position++)
            {
                float[] update = new float[length];
                update[position] = poison;
                UpdateCheck check = RunningSum.Check(update, 1);
                Assert.False(check.Finite || check.InRange);
            }
        }
    }

    [Fact]
    public void Check_NegativeNaN_IsNotFinite() =>
        Assert.False(RunningSum.Check([BitConverter.UInt32BitsToSingle(0xFF80_0001)], 1).Finite);

    [Fact]
    public void Check_FiniteValues_MeasuresThem() =>
        Gen.Select(Gen.Int[0, 300], Gen.ULong).Sample((length, seed) =>
        {
            float[] update = RandomUpdate(SeededGenerator.For(seed, "test"), length, 3);
            UpdateCheck check = RunningSum.Check(update, 2);
            double norm = Math.Sqrt(update.Sum(value => (double)value * value));
            return check.Finite && check.InRange && check.MaxMagnitude == update.Select(Math.Abs).DefaultIfEmpty().Max()
                && Math.Abs(check.L2Norm - norm) <= 1e-12 * norm;
        });

    [Fact]
    public void Check_LargestFloats_HaveAFiniteNormAndAreOutOfRange()
    {
        UpdateCheck check = RunningSum.Check([float.MaxValue, -float.MaxValue, float.Epsilon], 1);
        Assert.True(check.Finite);
        Assert.False(check.InRange);
        Assert.Equal(float.MaxValue * Math.Sqrt(2), check.L2Norm, 1e30);
    }

    [Theory]
    [InlineData(4194304f, 1, false)]
    [InlineData(4194303.75f, 1, true)]
    [InlineData(1f, 4194303, true)]
    [InlineData(1f, 4194304, false)]
    [InlineData(0f, 0, false)]
    [InlineData(0f, -1, false)]
    [InlineData(0f, 16777216, true)]
    [InlineData(0f, 16777217, false)]
    public void Check_WeightTimesMagnitude_DecidesTheRange(float value, int weight, bool inRange)
    {
        Assert.Equal(inRange, RunningSum.Check([value], weight).InRange);
        Assert.Equal(inRange, new RunningSum(1).CanFold(Math.Abs(value), weight));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-1f)]
    public void CanFold_ImpossibleMagnitude_IsFalse(float magnitude) => Assert.False(new RunningSum(1).CanFold(magnitude, 1));

    [Fact]
    public void Fold_WrongLength_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new RunningSum(3).Fold([Pending([1f, 2f], 1)]));
}
