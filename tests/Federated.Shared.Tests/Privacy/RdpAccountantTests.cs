using Federated.Shared.Privacy;

namespace Federated.Shared.Tests.Privacy;

public sealed class RdpAccountantTests
{
    [Theory]
    [InlineData(0.0025, 1.3, 6_000, 1e-5, 0.7242234, 19)]
    [InlineData(0.001, 1.0, 30_000, 1e-7, 1.4154989, 13)]
    [InlineData(0.01, 1.0, 1_000, 1e-5, 2.107753, 8)]
    [InlineData(0.1, 1.0, 100, 1e-5, 7.972922, 3)]
    public void Spent_SampledGaussian_IsThePublishedValue(double rate, double multiplier, int steps, double delta, double epsilon, int order)
    {
        RdpAccountant accountant = new();
        accountant.AddGaussian(rate, multiplier, steps);
        (double Epsilon, int Order) spent = accountant.Spent(delta);
        Assert.Equal(epsilon, spent.Epsilon, 1e-6);
        Assert.Equal(order, spent.Order);
    }

    // The figures that the accountant of google/differential-privacy is tested with (dp_accounting, rdp_privacy_accountant_test.py).
    [Theory]
    [InlineData(5, 2.18075656e-03)]
    [InlineData(50, 2.38460375e-02)]
    [InlineData(100, 1.67416308e+02)]
    public void ByOrder_SampledGaussian_IsThePublishedDivergence(int order, double divergence)
    {
        RdpAccountant accountant = new();
        accountant.AddGaussian(0.01, 2.5, 50);
        Assert.InRange(accountant.ByOrder[order - 2] / divergence, 1 - 1e-4, 1 + 1e-4);
    }

    // The same source's: constructed to be exactly (1, 1e-6); integer orders alone come within half a percent of it.
    [Fact]
    public void Spent_GaussianMadeForEpsilonOne_IsOne()
    {
        RdpAccountant accountant = new();
        accountant.AddGaussian(1, 4.530877117, 1);
        Assert.InRange(accountant.Spent(1e-6).Epsilon, 1 - 1e-9, 1.005);
    }

    [Fact]
    public void Add_RoundsOfAnother_IsTheSameAsItsSteps()
    {
        RdpAccountant round = new();
        round.AddGaussian(1, 3, 1);
        round.AddSkellam(8, 8, 1_000, 1);
        RdpAccountant all = new();
        all.Add(round, 40);
        RdpAccountant steps = new();
        steps.AddGaussian(1, 3, 40);
        steps.AddSkellam(8, 8, 1_000, 40);
        Assert.Equal(steps.Spent(1e-5).Epsilon, all.Spent(1e-5).Epsilon, 1e-9);
        Assert.Equal(all.Spent(1e-5), RdpAccountant.Of(all.ByOrder).Spent(1e-5));
        Assert.Throws<ArgumentException>(() => RdpAccountant.Of([1, 2]));
    }

    [Fact]
    public void Dearer_TwoMechanisms_IsTheGreaterAtEveryOrder()
    {
        RdpAccountant gaussian = new();
        gaussian.AddGaussian(1, 4, 1);
        RdpAccountant skellam = new();
        skellam.AddSkellam(50, 10, 3_000, 1);
        RdpAccountant dearer = RdpAccountant.Dearer(gaussian, skellam);
        Assert.All(Enumerable.Range(0, 255), i => Assert.Equal(Math.Max(gaussian.ByOrder[i], skellam.ByOrder[i]), dearer.ByOrder[i]));
    }

    [Fact]
    public void AddGaussian_InParts_IsTheSame()
    {
        RdpAccountant whole = new();
        whole.AddGaussian(0.01, 1, 100);
        RdpAccountant parts = new();
        parts.AddGaussian(0.01, 1, 60);
        parts.AddGaussian(0.01, 1, 40);
        Assert.Equal(whole.Spent(1e-5).Epsilon, parts.Spent(1e-5).Epsilon, 1e-12);
    }

    [Fact]
    public void AddGaussian_WithoutSampling_IsOrderOverTwiceTheVariance()
    {
        RdpAccountant accountant = new();
        accountant.AddGaussian(1, 4, 2);
        double expected = Enumerable.Range(2, 255).Min(a => (2 * a / 32.0) + Math.Log(1 - (1.0 / a)) - (Math.Log(1e-6 * a) / (a - 1)));
        Assert.Equal(expected, accountant.Spent(1e-6).Epsilon, 1e-9);
    }

    [Fact]
    public void Spent_Nothing_IsAlmostNothing() => Assert.InRange(new RdpAccountant().Spent(1e-5).Epsilon, 0, 0.05);

    // In one dimension the divergence can be summed up: the bound has to hold, and be near.
    [Theory]
    [InlineData(1, 10.0)]
    [InlineData(1, 100.0)]
    [InlineData(5, 100.0)]
    [InlineData(10, 1000.0)]
    public void Skellam_OneDimension_BoundsTheTrueDivergence(int shift, double variance)
    {
        double[] p = SkellamProbabilities(variance, 4_000);
        foreach (int order in new[] { 2, 4, 8 })
        {
            double sum = 0;
            for (int k = shift; k < p.Length; k++)
            {
                if (p[k] > 0 && p[k - shift] > 0)
                {
                    sum += Math.Exp((order * Math.Log(p[k])) + ((1 - order) * Math.Log(p[k - shift])));
                }
            }

            double divergence = Math.Log(sum) / (order - 1);
            double bound = RdpAccountant.Skellam(shift, shift, variance, order);
            Assert.True(divergence <= bound, $"order {order}: {divergence} above {bound}");
            Assert.True(bound < (2 * divergence) + 0.3, $"order {order}: {bound} is far above {divergence}");
        }
    }

    [Fact]
    public void AddSkellam_LargeVariance_CostsWhatGaussianDoes()
    {
        RdpAccountant skellam = new();
        skellam.AddSkellam(1_000, 100, 1e6, 10);
        RdpAccountant gaussian = new();
        gaussian.AddGaussian(1, 10, 10);
        Assert.InRange(skellam.Spent(1e-5).Epsilon / gaussian.Spent(1e-5).Epsilon, 1, 1.05);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1.1, 1)]
    [InlineData(0.5, 0)]
    [InlineData(0.5, double.NaN)]
    public void AddGaussian_Nonsense_IsRefused(double rate, double multiplier) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RdpAccountant().AddGaussian(rate, multiplier, 1));

    // The probabilities of the difference of two Poisson(μ/2) variables, centred in the array.
    private static double[] SkellamProbabilities(double variance, int length)
    {
        double mean = variance / 2;
        double[] poisson = new double[length];
        double log = -mean;
        for (int k = 0; k < length; k++)
        {
            poisson[k] = Math.Exp(log);
            log += Math.Log(mean) - Math.Log(k + 1);
        }

        int reach = (int)(12 * Math.Sqrt(variance)) + 20;
        double[] probabilities = new double[(2 * reach) + 1];
        for (int d = -reach; d <= reach; d++)
        {
            double sum = 0;
            for (int k = Math.Max(0, -d); k + d < length && k < length; k++)
            {
                if (k + d >= 0)
                {
                    sum += poisson[k] * poisson[k + d];
                }
            }

            probabilities[d + reach] = sum;
        }

        return probabilities;
    }
}
