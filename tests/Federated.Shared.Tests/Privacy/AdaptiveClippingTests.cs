using Federated.Shared.Privacy;
using Federated.Shared.Randomness;

namespace Federated.Shared.Tests.Privacy;

public sealed class AdaptiveClippingTests
{
    [Theory]
    [InlineData(10, 10, 0.904837418)]
    [InlineData(5, 10, 1.0)]
    [InlineData(0, 10, 1.105170918)]
    [InlineData(-40, 10, 2.459603111)]
    [InlineData(99, 10, 0.152590105)]
    public void Next_ShareOfUnclipped_MovesTheNorm(double unclipped, int clients, double expected) =>
        Assert.Equal(expected, new AdaptiveClipping { ClipNorm = 1 }.Next(unclipped, clients).ClipNorm, 1e-8);

    [Fact]
    public void Next_ManyRounds_FindsTheMedian()
    {
        SeededGenerator random = SeededGenerator.For(1, "clipping");
        AdaptiveClipping clipping = new() { ClipNorm = 0.01 };
        for (int round = 0; round < 200; round++)
        {
            double[] norms = [.. Enumerable.Range(0, 50).Select(_ => 3 * Math.Exp(random.NextGaussian()))];
            clipping = clipping.Next(norms.Count(norm => norm <= clipping.ClipNorm), norms.Length);
        }

        Assert.InRange(clipping.ClipNorm, 2.4, 3.7);
    }

    /// <summary>A share brought into [0, 1] would have a mean of 0.88 at most here, and C would grow in every round although nobody is clipped.</summary>
    [Fact]
    public void Next_NoisyCountOfFewClients_FindsTheQuantileAndRests()
    {
        SeededGenerator random = SeededGenerator.For(1, "noisy clipping");
        AdaptiveClipping clipping = new() { ClipNorm = 1, TargetQuantile = 0.9 };
        double sum = 0;
        for (int round = 1; round <= 2_000; round++)
        {
            double[] norms = [.. Enumerable.Range(0, 10).Select(_ => random.NextDouble())];
            clipping = clipping.Next(norms.Count(norm => norm <= clipping.ClipNorm) + (3 * random.NextGaussian()), norms.Length);
            sum += Math.Log(clipping.ClipNorm);
        }

        Assert.InRange(Math.Exp(sum / 2_000), 0.8, 1.1);
    }

    [Theory]
    [InlineData(-1e9, AdaptiveClipping.MaxClipNorm)]
    [InlineData(1e9, AdaptiveClipping.MinClipNorm)]
    public void Next_CountIsAllNoise_StaysWhereARoundCanBe(double unclipped, double expected) =>
        Assert.Equal(expected, new AdaptiveClipping { ClipNorm = 1 }.Next(unclipped, 10).ClipNorm);
}
