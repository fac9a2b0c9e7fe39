using Federated.Shared.Privacy;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.Privacy;

public sealed class NoiseTests
{
    private static readonly byte[] _key = [.. Enumerable.Range(0, 32).Select(i => (byte)(3 * i))];

    [Theory]
    [InlineData(0.3)]
    [InlineData(4)]
    [InlineData(9.9)]
    [InlineData(12)]
    [InlineData(300)]
    public void Poisson_Samples_HaveMeanVarianceAndShape(double mean)
    {
        const int Samples = 100_000;
        using KeyedGenerator random = new(_key);
        PoissonSampler sampler = new(mean);
        double[] values = [.. Enumerable.Range(0, Samples).Select(_ => (double)sampler.Next(random))];
        double average = values.Average();
        double deviation = Math.Sqrt(mean);
        Assert.InRange((average - mean) / deviation * Math.Sqrt(Samples), -4.5, 4.5);
        Assert.InRange(values.Average(x => (x - mean) * (x - mean)) / mean, 0.97, 1.03);

        // The most frequent value against its probability.
        int mode = (int)mean;
        double log = -mean + (mode * Math.Log(mean)) - Enumerable.Range(1, mode).Sum(i => Math.Log(i));
        double p = Math.Exp(log);
        Assert.InRange((values.Count(x => x == mode) - (Samples * p)) / Math.Sqrt(Samples * p * (1 - p)), -4.5, 4.5);
    }

    // n parts sum to the variance asked for, in the ring, with values of either sign.
    [Fact]
    public void DistributedSkellam_SumOfParts_HasTheVariance()
    {
        const int Clients = 10;
        const int Length = 20_000;
        const double Variance = 400;
        FieldVector sum = new(Length, 16);
        using KeyedGenerator random = new(_key);
        for (int client = 0; client < Clients; client++)
        {
            FieldVector fields = FieldVector.Of([.. Enumerable.Range(0, Length).Select(_ => unchecked((uint)-5))], 16);
            DistributedSkellam.AddTo(fields, 0, Length, DistributedSkellam.ClientVariance(Variance, Clients), -1000, 1000, random);
            sum.Add(fields);
        }

        double[] values = [.. Enumerable.Range(0, Length).Select(i => (double)unchecked((short)sum[i]))];
        Assert.InRange(values.Average(), -50.7, -49.3);
        Assert.InRange(values.Average(x => (x + 50) * (x + 50)) / Variance, 0.95, 1.05);
    }

    [Fact]
    public void DistributedSkellam_Bounds_AreKept()
    {
        FieldVector fields = new(5_000, 12);
        using KeyedGenerator random = KeyedGenerator.Create();
        DistributedSkellam.AddTo(fields, 10, 5_000, 1e6, -100, 50, random);
        Assert.Null(fields.FirstOutside(0, 5_000, -100, 50));
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(0u, fields[i]));
        Assert.Contains(Enumerable.Range(0, 5_000), i => fields[i] == 50);
    }

    [Fact]
    public void KeyedGenerator_OneKey_RepeatsAndAnotherDiffers()
    {
        using KeyedGenerator first = new(_key);
        using KeyedGenerator second = new(_key);
        using KeyedGenerator fresh = KeyedGenerator.Create();
        ulong[] a = [.. Enumerable.Range(0, 1_500).Select(_ => first.NextUInt64())];
        Assert.Equal(a, Enumerable.Range(0, 1_500).Select(_ => second.NextUInt64()).ToArray());
        Assert.Equal(1_500, a.Distinct().Count());
        Assert.NotEqual(a[0], fresh.NextUInt64());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Poisson_Nonsense_IsRefused(double mean) => Assert.Throws<ArgumentOutOfRangeException>(() => new PoissonSampler(mean));
}
