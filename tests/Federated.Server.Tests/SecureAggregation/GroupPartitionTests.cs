using CsCheck;
using Federated.Server.SecureAggregation;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Tests.SecureAggregation;

public sealed class GroupPartitionTests
{
    [Theory]
    [InlineData(2, new int[0])]
    [InlineData(3, new[] { 3 })]
    [InlineData(31, new[] { 31 })]
    [InlineData(63, new[] { 63 })]
    [InlineData(64, new[] { 32, 32 })]
    [InlineData(130, new[] { 33, 33, 32, 32 })]
    public void Sizes_Cohort_AreKnown(int devices, int[] sizes) => Assert.Equal(sizes, GroupPartition.Sizes(devices, floor: 3));

    [Fact]
    public void Sizes_EveryCohort_AddUpAndDifferByOne() => Gen.Select(Gen.Int[3, 5_000], Gen.Int[3, 200]).Sample((devices, least) =>
    {
        int[] sizes = GroupPartition.Sizes(devices, 3, least);
        return sizes.Sum() == devices && sizes.Max() - sizes.Min() <= 1 && (devices < least || sizes.Min() >= least) && sizes.Max() < Math.Max(2 * least, devices < least ? least : 0);
    });

    // Two groups of a round: their sums are added as integers, signs and counts included.
    [Fact]
    public void AddTo_TwoGroups_IsTheSumOfBoth()
    {
        long[] totals = new long[20];
        long[] expected = new long[20];
        for (ulong group = 1; group <= 2; group++)
        {
            using GroupScene scene = new(5, header => header with { WidthBits = 9, MinField = -40, MaxField = 60, ScalarFieldCount = 0 }, seed: group);
            scene.Run((3, [2]));
            scene.Server.Sum!.AddTo(scene.Header, totals);
            foreach (int device in new[] { 1, 3, 4, 5 })
            {
                for (int i = 0; i < expected.Length; i++)
                {
                    // Nine bits, sign-extended where the value is above the greatest.
                    long field = scene.Inputs[device - 1][i];
                    expected[i] += field > 60 ? field - 512 : field;
                }
            }
        }

        Assert.Equal(expected, totals);
        Assert.Contains(expected, value => value < 0);
        Assert.Contains(expected, value => value > 0);
    }

    [Fact]
    public void AddTo_ScalarFields_AreCounts()
    {
        GroupHeader header = new GroupScene(3).Header with { FieldCount = 2, ScalarFieldCount = 1, WidthBits = 8, MinField = -30, MaxField = 30 };
        GroupSum sum = new(FieldVector.Of([250, 250], 8), ["a", "b", "c"]);
        long[] totals = [1, 1];
        sum.AddTo(header, totals);
        Assert.Equal([-5, 251], totals);
        Assert.Throws<ArgumentException>(() => sum.AddTo(header, new long[3]));
    }
}
