using CsCheck;
using Federated.Shared.Models;

namespace Federated.Shared.Tests.Models;

public sealed class ParameterLayoutTests
{
    [Fact]
    public void Of_SomeTensors_LaysThemOutWithoutGaps()
    {
        ParameterLayout layout = ParameterLayout.Of([("weight", [3, 4]), ("scale", []), ("bias", [4])]);

        Assert.Equal(17, layout.Length);
        Assert.Equal([("weight", 0, 12), ("scale", 12, 1), ("bias", 13, 4)], layout.Parameters.Select(p => (p.Name, p.Offset, p.Length)));
        Assert.Equal([3, 4], layout.Parameters[0].Shape);
    }

    [Fact]
    public void Of_Nothing_IsEmpty() => Assert.Equal(0, ParameterLayout.Of([]).Length);

    [Fact]
    public void Of_AnyShapes_OffsetsAreTheRunningLength() => Gen.Int[1, 9].Array[0, 4].Array[0, 20].Sample(shapes =>
    {
        ParameterLayout layout = ParameterLayout.Of(shapes.Select((shape, i) => ($"t{i}", (IReadOnlyList<int>)shape)));
        int offset = 0;
        foreach (ParameterSpec parameter in layout.Parameters)
        {
            Assert.Equal(offset, parameter.Offset);
            Assert.Equal(parameter.Shape.Aggregate(1, (product, dimension) => product * dimension), parameter.Length);
            offset += parameter.Length;
        }

        Assert.Equal(offset, layout.Length);
    });

    [Fact]
    public void Of_NameTwice_IsRefused() => Assert.Contains(
        "'a' is empty or occurs twice",
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("a", [1]), ("a", [2])])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Of_EmptyName_IsRefused() => Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("", [1])]));

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void Of_DimensionBelowOne_IsRefused(int dimension) => Assert.Contains(
        $"dimension {dimension}",
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("a", [2, dimension])])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Of_MoreThanAnArrayHolds_Overflows()
    {
        Assert.Throws<OverflowException>(() => ParameterLayout.Of([("a", [65_536, 65_536])]));
        Assert.Throws<OverflowException>(() => ParameterLayout.Of([("a", [int.MaxValue]), ("b", [1])]));
    }
}
