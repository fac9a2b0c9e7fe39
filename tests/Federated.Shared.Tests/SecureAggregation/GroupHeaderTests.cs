using CsCheck;
using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Tests.Protocol;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class GroupHeaderTests
{
    [Fact]
    public void ToBytes_KnownHeader_IsTheGoldenBytes() => Assert.Equal(GoldenFile.Hex("group-header.v2.hex"), Sample.Header().ToBytes());

    [Fact]
    public void FromBytes_GoldenBytes_IsTheKnownHeader() => Assert.Equal(Sample.Header(), GroupHeader.FromBytes(GoldenFile.Hex("group-header.v2.hex")));

    // The width has to hold the sum of all members, not one member's value, a share or the threshold; and it is refused, not warned about.
    [Theory]
    [InlineData(8, 50, -2, 4)]
    [InlineData(16, 50, -655, 656)]
    [InlineData(32, 2, 0, 2147483648)]
    public void FromBytes_MembersCouldOverflow_IsRefused(int width, int members, long min, long max)
    {
        GroupHeader header = Sample.Header() with { WidthBits = width, MaxMembers = members, MinMembers = 2, MinField = min, MaxField = max, ScalarFieldCount = 0 };
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => GroupHeader.FromBytes(header.ToBytes()));
        Assert.Contains("overflow", e.Message, StringComparison.Ordinal);
        Assert.NotNull(GroupHeader.FromBytes((header with { MaxField = max - 1 }).ToBytes()));
    }

    [Fact]
    public void Fits_Sums_AreDeterminedExactlyWhenItSays() => Gen.Select(Gen.Int[2, 12], Gen.Int[2, 40], Gen.Int[-20, 0], Gen.Int[0, 20]).Sample((width, members, min, max) =>
    {
        // The sums from g · min to g · max are distinct modulo 2^b when there are no more than 2^b of them.
        long sums = ((long)members * (max - min)) + 1;
        return GroupHeader.Fits(members, width, min, max) == (sums <= 1L << width);
    });

    [Theory]
    [InlineData(10, 3)]
    [InlineData(0, 2)]
    public void FromBytes_ImpossibleBounds_IsRefused(int min, int max) =>
        Assert.Throws<ProtocolViolationException>(() => GroupHeader.FromBytes((Sample.Header() with { MinMembers = min, MaxMembers = max }).ToBytes()));

    [Fact]
    public void FromBytes_ScalarDigitsWithoutRoom_IsRefused() => Assert.Throws<ProtocolViolationException>(() =>
        GroupHeader.FromBytes((Sample.Header() with { WidthBits = 6, MinField = 0, MaxField = 1, MaxMembers = 50 }).ToBytes()));

    [Fact]
    public void FromBytes_EveryTruncationAndLongerForms_AreRefused()
    {
        byte[] bytes = Sample.Header().ToBytes();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<ProtocolViolationException>(() => GroupHeader.FromBytes(bytes.AsMemory(0, length)));
        }

        Assert.Throws<ProtocolViolationException>(() => GroupHeader.FromBytes(new byte[GroupHeader.MaxBytes + 1]));

        // Round 7 written as a 16-bit integer reads the same and would hash differently.
        int round = Array.IndexOf(bytes, (byte)7, 8);
        byte[] longer = [.. bytes.AsSpan(0, round), 0xcd, 0, 7, .. bytes.AsSpan(round + 1)];
        Assert.Throws<ProtocolViolationException>(() => GroupHeader.FromBytes(longer));
    }
}
