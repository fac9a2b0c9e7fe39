using CsCheck;
using Federated.Shared.Models;

namespace Federated.Shared.Tests.Models;

public sealed class ParameterSelectionTests
{
    private static readonly LoraLayout _layout = LoraLayout.Of(
        ParameterLayout.Of([("A", [3, 2]), ("bias", [2]), ("B", [4, 3])]),
        [new LoraFactor("t", LoraMatrix.A, 3, 1), null, new LoraFactor("t", LoraMatrix.B, 3, 1)]);

    private static readonly float[] _adapter = [.. Enumerable.Range(0, 20).Select(i => (float)i)];

    [Fact]
    public void Gather_LeadingRank_TakesRowsOfAAndColumnsOfB()
    {
        ParameterSelection selection = ParameterSelection.Of(_layout, [ParameterRole.Sent, ParameterRole.Frozen, ParameterRole.Sent], ParameterRole.Sent, rank: 2);
        float[] packed = new float[selection.Length];

        selection.Gather(_adapter, packed);

        Assert.Equal([0, 1, 2, 3, 8, 9, 11, 12, 14, 15, 17, 18], packed);
        Assert.False(selection.IsEverything);
    }

    [Fact]
    public void Gather_IntoTheFrontOfTheAdapterItself_GivesTheSame() => Gen.Select(Gen.Int[0, 3], Gen.Int[0, 7]).Sample((rank, mask) =>
    {
        ParameterRole[] roles = [.. Enumerable.Range(0, 3).Select(i => (mask >> i & 1) == 1 ? ParameterRole.Sent : ParameterRole.Kept)];
        ParameterSelection selection = ParameterSelection.Of(_layout, [.. roles], ParameterRole.Sent, rank);
        float[] apart = new float[selection.Length];
        selection.Gather(_adapter, apart);
        float[] inPlace = [.. _adapter];
        selection.Gather(inPlace, inPlace.AsSpan(0, selection.Length));

        Assert.Equal(apart, inPlace[..selection.Length]);
    });

    [Fact]
    public void Scatter_WhatWasGathered_RestoresTheSelectedAndLeavesTheRest() => Gen.Select(Gen.Int[0, 3], Gen.Int[0, 7]).Sample((rank, mask) =>
    {
        ParameterRole[] roles = [.. Enumerable.Range(0, 3).Select(i => (mask >> i & 1) == 1 ? ParameterRole.Sent : ParameterRole.Frozen)];
        ParameterSelection selection = ParameterSelection.Of(_layout, [.. roles], ParameterRole.Sent, rank);
        float[] packed = new float[selection.Length];
        selection.Gather(_adapter, packed);
        float[] restored = [.. Enumerable.Repeat(-1f, _adapter.Length)];
        selection.Scatter(packed, restored);

        Assert.Equal(selection.Length, restored.Count(value => value >= 0));
        Assert.All(restored.Index().Where(entry => entry.Item >= 0), entry => Assert.Equal(_adapter[entry.Index], entry.Item));
    });

    [Fact]
    public void Of_AllRolesAndFullRank_IsEverything() =>
        Assert.True(ParameterSelection.Of(_layout, [ParameterRole.Sent, ParameterRole.Sent, ParameterRole.Sent], ParameterRole.Sent, rank: 3).IsEverything);

    [Fact]
    public void Truncate_ToARank_ZeroesLaterRowsOfAAndColumnsOfB()
    {
        float[] adapter = [.. _adapter.Select(value => value + 1)];

        _layout.Truncate(adapter, 1);

        Assert.Equal([1, 2, 0, 0, 0, 0, 7, 8, 9, 0, 0, 12, 0, 0, 15, 0, 0, 18, 0, 0], adapter);
    }

    [Theory]
    [InlineData(LoraMatrix.A, 1.0, "2 tensors as A")]
    [InlineData(LoraMatrix.B, 2.0, "one scale")]
    public void Of_FactorsThatAreNoPair_Refuses(LoraMatrix second, double scale, string why)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => LoraLayout.Of(
            ParameterLayout.Of([("A", [3, 2]), ("B", [4, 3])]), [new LoraFactor("t", LoraMatrix.A, 3, 1), new LoraFactor("t", second, 3, scale)]));

        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }
}
