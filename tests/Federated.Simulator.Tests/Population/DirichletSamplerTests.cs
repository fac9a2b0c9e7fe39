using CsCheck;
using Federated.Shared.Randomness;
using Federated.Simulator.Population;

namespace Federated.Simulator.Tests.Population;

public sealed class DirichletSamplerTests
{
    [Fact]
    public void Sample_AnyConcentration_LiesOnTheSimplex() =>
        Gen.Select(Gen.Double[-8, 8].Array[1, 12], Gen.ULong).Sample((exponents, seed) =>
        {
            double[] point = DirichletSampler.Sample([.. exponents.Select(e => Math.Pow(10, e))], SeededGenerator.For(seed, "test"));
            Assert.All(point, value => Assert.InRange(value, 0, 1));
            Assert.Equal(1, point.Sum(), 9);
        });

    // Dir(a) has mean a_i / Σa and variance a_i (Σa − a_i) / (Σa² (Σa + 1)).
    [Theory]
    [InlineData(0.3, 0.7)]
    [InlineData(2.0, 5.0)]
    public void Sample_ManyDraws_HasTheMomentsOfTheDistribution(double a, double b)
    {
        const int draws = 40_000;
        SeededGenerator generator = SeededGenerator.For(11, "moments");
        double[] first = [.. Enumerable.Range(0, draws).Select(_ => DirichletSampler.Sample([a, b], generator)[0])];

        double mean = first.Average();
        double variance = first.Average(value => (value - mean) * (value - mean));

        Assert.Equal(a / (a + b), mean, 2);
        Assert.InRange(variance / (a * b / ((a + b) * (a + b) * (a + b + 1))), 0.97, 1.03);
    }

    [Fact]
    public void Sample_ZeroConcentration_GivesZero() =>
        Assert.Equal([0.0, 1.0], DirichletSampler.Sample([0, 3], SeededGenerator.For(1, "test")));
}
