using Federated.Server.Generation;

namespace Federated.Server.Tests.Generation;

public sealed class TokenSamplerTests
{
    private static readonly float[] _scores = [0, MathF.Log(6), MathF.Log(3), -50, MathF.Log(3)];

    [Fact]
    public void Next_TemperatureZero_IsTheLargestScoreAndTheLowerOfEquals()
    {
        Assert.Equal(1, new TokenSampler(new SamplingOptions(0)).Next(_scores));
        Assert.Equal(2, new TokenSampler(new SamplingOptions(0)).Next([0, 1, 5, 5]));
    }

    [Fact]
    public void Next_ManyDraws_HaveTheFrequenciesOfTheSoftmax()
    {
        double[] shares = Shares(new SamplingOptions(1));

        // Of 13 = 1 + 6 + 3 + 0 + 3; four standard deviations of 20,000 draws are below 0.015.
        double[] expected = [1 / 13.0, 6 / 13.0, 3 / 13.0, 0, 3 / 13.0];
        Assert.All(expected.Zip(shares), pair => Assert.Equal(pair.First, pair.Second, 0.015));
    }

    [Fact]
    public void Next_Temperature_SharpensTheSoftmax()
    {
        double[] shares = Shares(new SamplingOptions(0.5));

        // Squares: 1, 36, 9, 0, 9.
        Assert.Equal(36 / 55.0, shares[1], 0.015);
    }

    [Fact]
    public void Next_TopK_LeavesTheOthersOut()
    {
        double[] shares = Shares(new SamplingOptions(1, TopK: 2));

        Assert.Equal(6 / 9.0, shares[1], 0.015);
        Assert.Equal(3 / 9.0, shares[2], 0.015);
    }

    [Fact]
    public void Next_EqualSeeds_GiveEqualTokens()
    {
        int[] Draws(ulong seed)
        {
            TokenSampler sampler = new(new SamplingOptions(1, Seed: seed));
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Next(_scores))];
        }

        Assert.Equal(Draws(7), Draws(7));
        Assert.NotEqual(Draws(7), Draws(8));
    }

    [Fact]
    public void Next_ScoreThatIsNotFinite_IsRefused() =>
        Assert.Contains("token 1 is NaN", Assert.Throws<InvalidDataException>(() => new TokenSampler(new SamplingOptions()).Next([0, float.NaN])).Message, StringComparison.Ordinal);

    private static double[] Shares(SamplingOptions options)
    {
        const int Draws = 20_000;
        TokenSampler sampler = new(options);
        double[] shares = new double[_scores.Length];
        for (int i = 0; i < Draws; i++)
        {
            shares[sampler.Next(_scores)] += 1.0 / Draws;
        }

        return shares;
    }
}
