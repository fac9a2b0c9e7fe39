using System.Collections.Immutable;
using Federated.Server.Aggregation.LoraRules;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Aggregation.LoraRules;

/// <summary>Layers take part from the output backwards, and what does not take part does not move.</summary>
public sealed class LayerScheduleTests
{
    // Eleven blocks in an order that is neither that of their numbers nor that of their names.
    private static readonly string[] s_blocks = [.. Enumerable.Range(0, 11).Reverse().Select(i => $"model.layers.{i}.up")];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 1)]
    [InlineData(6, 2)]
    [InlineData(50, 10)]
    [InlineData(51, 11)]
    [InlineData(1000, 11)]
    public void DepthIn_OneBlockEveryFiveRounds_GrowsToAll(long round, int depth)
    {
        LayerSchedule schedule = new(Layout(), new LayerPace(1, 5));

        Assert.Equal((11, depth), (schedule.Blocks, schedule.DepthIn(round)));
    }

    [Fact]
    public void Apply_PartsWhoseNamesAreNotInTheirOrder_BeginsAtTheOutput()
    {
        string[] blocks = ["features.0", "features.10", "classifier.1"];
        LoraLayout layout = LoraLayout.Of(
            ParameterLayout.Of([.. blocks.SelectMany(block => new (string, IReadOnlyList<int>)[] { ($"{block}.A", [2, 3]), ($"{block}.B", [4, 2]) })]),
            [.. blocks.SelectMany(block => new LoraFactor?[] { new(block, LoraMatrix.A, 2, 1), new(block, LoraMatrix.B, 2, 1) })]);
        ImmutableArray<ParameterRole> roles = new LayerSchedule(layout, new LayerPace(1, 5)).Apply([.. Enumerable.Repeat(ParameterRole.Sent, 6)], 1);
        Assert.Equal([ParameterRole.Frozen, ParameterRole.Frozen, ParameterRole.Frozen, ParameterRole.Frozen, ParameterRole.Sent, ParameterRole.Sent], roles);
    }

    [Fact]
    public void Roles_SecondStage_AreThoseOfTheLastTwoBlocksAndOfWhatIsInNone()
    {
        ILoraRule rule = LoraRule.Create(LoraRuleKind.Rolora, Layout(), false, 1, new LayerPace(1, 5));

        ImmutableArray<ParameterRole> roles = rule.Roles(6);

        string[] sent = [.. Layout().Parameters.Parameters.Where((_, i) => roles[i] == ParameterRole.Sent).Select(p => p.Name)];
        Assert.Equal(["model.layers.10.up.A", "model.layers.9.up.A", "head"], sent);
        Assert.Equal((2 * 2 * 3) + 7, rule.SumLength(6));
    }

    [Theory]
    [InlineData(LoraRuleKind.Fedit)]
    [InlineData(LoraRuleKind.Ffa)]
    [InlineData(LoraRuleKind.Rolora)]
    [InlineData(LoraRuleKind.Fedsa)]
    public void Apply_FirstRound_LeavesTheBlocksThatAreNotDue(LoraRuleKind kind)
    {
        LoraScene scene = new(3);
        ILoraRule rule = LoraRule.Create(kind, Numbered(scene.Layout), false, 1, new LayerPace(1, 2));
        ILoraRule whole = LoraRule.Create(kind, Numbered(scene.Layout), false, 1);

        Assert.All([0, 1], i => Assert.Equal(ParameterRole.Frozen, rule.Roles(1)[i]));
        Assert.Equal(whole.Roles(1)[2..], rule.Roles(1)[2..]);
        Assert.Equal(whole.Roles(3), rule.Roles(3));
        Assert.True(rule.SumLength(1) < whole.SumLength(1) || kind == LoraRuleKind.Fedsa);
    }

    /// <summary>The scene's layout with its pairs in blocks.</summary>
    private static LoraLayout Numbered(LoraLayout layout) => LoraLayout.Of(
        ParameterLayout.Of(layout.Parameters.Parameters.Select(p => (p.Name.Replace("one", "block1", StringComparison.Ordinal).Replace("two", "block2", StringComparison.Ordinal), (IReadOnlyList<int>)p.Shape))),
        [
            .. layout.Parameters.Parameters.Select((p, i) => layout.Factors[i] is { } matrix
                ? new LoraFactor(p.Name[..3], matrix, LoraScene.FullRank, 1)
                : null),
        ]);

    private static LoraLayout Layout() => LoraLayout.Of(
        ParameterLayout.Of(
        [
            .. s_blocks.SelectMany(block => new (string, IReadOnlyList<int>)[] { ($"{block}.A", [2, 3]), ($"{block}.B", [4, 2]) }), ("head", [7]),
        ]),
        [.. s_blocks.SelectMany(block => new LoraFactor?[] { new(block, LoraMatrix.A, 2, 1), new(block, LoraMatrix.B, 2, 1) }), null]);
}
