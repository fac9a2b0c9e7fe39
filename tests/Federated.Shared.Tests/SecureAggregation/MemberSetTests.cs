using CsCheck;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class MemberSetTests
{
    [Fact]
    public void FromBytes_EverySet_RoundTrips() => Gen.Int[1, 40].SelectMany(size => Gen.Int[1, size].HashSet[0, size].Select(members => (size, members)))
        .Sample(pair =>
        {
            MemberSet set = MemberSet.Of(pair.members, pair.size);
            MemberSet? read = MemberSet.FromBytes(set.Bytes, pair.size);
            return set.Equals(read) && read!.Order().SequenceEqual(pair.members.Order()) && read.Count == pair.members.Count;
        });

    [Theory]
    [InlineData("00", 9)]
    [InlineData("0000", 8)]
    [InlineData("80", 7)]
    [InlineData("", 1)]
    public void FromBytes_WrongLengthOrStranger_IsRefused(string hex, int size) => Assert.Null(MemberSet.FromBytes(Convert.FromHexString(hex), size));

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void Of_Stranger_IsRefused(int member) => Assert.Throws<ArgumentOutOfRangeException>(() => MemberSet.Of([member], 8));

    [Fact]
    public void Operations_KnownSets_AreRight()
    {
        MemberSet a = MemberSet.Of([1, 3, 5], 9);
        MemberSet b = MemberSet.Of([3, 5, 9], 9);
        Assert.Equal([1], a.Except(b));
        Assert.True(MemberSet.Of([3], 9).IsSubsetOf(a));
        Assert.False(a.IsSubsetOf(b));
        Assert.False(a.IsSubsetOf(MemberSet.Of([1, 3, 5], 10)));
        Assert.False(a.Contains(0) || a.Contains(10));
    }
}
