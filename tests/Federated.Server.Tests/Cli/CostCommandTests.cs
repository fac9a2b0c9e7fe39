using Federated.Modeling;
using Federated.Server.Cli;
using Federated.Server.Jobs;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Cli;

/// <summary>What a prediction does not count is said.</summary>
public sealed class CostCommandTests
{
    private static readonly ModelPackage _factors = ModelPackage.Build(
        new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 4, Hidden = [8], Classes = 3, Lora = new PackageLora(2, 4, ".*", 1) }, 1);

    private static readonly ModelPackage _plain = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 4, Hidden = [8], Classes = 3 }, 1);

    [Theory]
    [InlineData("", "aggregation.lora.rule = rolora: devices send one factor")]
    [InlineData(""", "aggregation": { "lora": { "rule": "ffa" } } """, "aggregation.lora.rule = ffa: devices send one factor")]
    [InlineData(""", "aggregation": { "lora": { "rule": "flora" } } """, "aggregation.lora.rule = flora: devices also download")]
    public void NotCounted_RuleThatMovesTheBytes_IsNamed(string settings, string expected) =>
        Assert.StartsWith(expected, Assert.Single(CostCommand.NotCounted(Spec(settings), _factors)), StringComparison.Ordinal);

    [Fact]
    public void NotCounted_Directions_AreNamedWithTheirBytes() => Assert.Contains(
        "devices send 16 numbers, 64 bytes", Assert.Single(CostCommand.NotCounted(Spec(""", "training": { "directions": { "count": 16 } } """), _plain)), StringComparison.Ordinal);

    [Fact]
    public void NotCounted_WholeUpdates_AreCounted()
    {
        Assert.Empty(CostCommand.NotCounted(Spec(""), _plain));
        Assert.Empty(CostCommand.NotCounted(Spec(""", "aggregation": { "lora": { "rule": "fedit" } } """), _factors));
    }

    private static JobSpec Spec(string settings) => JobSpec.Parse($$"""{ "name": "p", "population": "p", "model": { "builder": "mlp" }{{settings}} }""");
}
