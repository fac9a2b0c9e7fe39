using CsCheck;
using Federated.Server.Rounds;
using Federated.Shared.Randomness;

namespace Federated.Server.Tests.Rounds;

public sealed class PaceSteeringTests
{
    private static readonly PaceOptions _options = new();

    [Fact]
    public void RetryAfter_AnyObservation_StaysWithinTheLimits() =>
        Gen.Select(Gen.Int[-1, 10_000_000], Gen.Int[-1, 20_000], Gen.Double[-10, 1e6], Gen.ULong).Sample((pool, demand, seconds, seed) =>
        {
            TimeSpan wait = PaceSteering.RetryAfter(new PaceObservation(pool, demand, TimeSpan.FromSeconds(seconds)), _options, SeededGenerator.For(seed, "test"));
            return wait >= _options.MinRetry && wait <= _options.MaxRetry;
        });

    [Fact]
    public void RetryAfter_SmallPopulation_MeetsJustBeforeTheSelection()
    {
        SeededGenerator jitter = SeededGenerator.For(1, "test");
        double[] waits = [.. Enumerable.Range(0, 1000).Select(_ => PaceSteering.RetryAfter(new PaceObservation(20, 13, TimeSpan.FromSeconds(100)), _options, jitter).TotalSeconds)];
        Assert.InRange(waits.Min(), 90, 91);
        Assert.InRange(waits.Max(), 99, 100);
    }

    [Fact]
    public void RetryAfter_AtALimit_StillSpreads()
    {
        SeededGenerator jitter = SeededGenerator.For(1, "test");
        PaceObservation[] observations =
            [new(1_000_000, 10, TimeSpan.FromHours(1)), new(10, 10, TimeSpan.Zero), new(1000, 0, TimeSpan.Zero), new(10, 10, TimeSpan.FromDays(3))];
        foreach (PaceObservation observation in observations)
        {
            TimeSpan[] waits = [.. Enumerable.Range(0, 200).Select(_ => PaceSteering.RetryAfter(observation, _options, jitter))];
            Assert.InRange(waits.Distinct().Count(), 190, 200);
        }
    }

    [Fact]
    public void RetryAfter_NoDemand_SpreadsOverTheIdleWait()
    {
        SeededGenerator jitter = SeededGenerator.For(1, "test");
        double[] waits = [.. Enumerable.Range(0, 1000).Select(_ => PaceSteering.RetryAfter(new PaceObservation(5, 0, TimeSpan.FromHours(9)), _options, jitter).TotalMinutes)];
        Assert.InRange(waits.Min(), 1, 1.02);
        Assert.InRange(waits.Max(), 2.98, 3);
    }

    [Fact]
    public void RetryAfter_NoDemandAndAnIdleWaitBeyondTheLongest_StaysBelowTheLongest()
    {
        PaceOptions brief = new() { MinRetry = TimeSpan.FromMilliseconds(10), MaxRetry = TimeSpan.FromMilliseconds(60) };
        TimeSpan wait = PaceSteering.RetryAfter(new PaceObservation(5, 0, TimeSpan.Zero), brief, SeededGenerator.For(1, "test"));
        Assert.InRange(wait, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(60));
    }

    // 5,000 devices that check in again and again over 400 selections of 30 s: h·d = 200 are wanted at each. The count of 80,000
    // renewals deviates by far less than the 2 % allowed (renewal counts with a coefficient of variation of 0.29: σ ≈ 0.1 %).
    [Fact]
    public void RetryAfter_LargePopulation_ArrivesAtTheWantedRate()
    {
        const double Interval = 30;
        const int Selections = 400;
        SeededGenerator jitter = SeededGenerator.For(5, "test");
        PaceObservation observation = new(5000, 100, TimeSpan.FromSeconds(Interval));
        long arrivals = 0;
        for (int device = 0; device < 5000; device++)
        {
            // Any starting phase: uniform over one mean wait.
            for (double now = jitter.NextDouble() * 750; now < Interval * Selections; now += PaceSteering.RetryAfter(observation, _options, jitter).TotalSeconds)
            {
                arrivals++;
            }
        }

        Assert.InRange(arrivals / (double)Selections, 196, 204);
    }

    [Fact]
    public void RetryAfter_LimitsTooClose_AreRefused() => Assert.Throws<ArgumentException>(() => PaceSteering.RetryAfter(
        new PaceObservation(1, 1, TimeSpan.Zero), new PaceOptions { MinRetry = TimeSpan.FromSeconds(2), MaxRetry = TimeSpan.FromSeconds(5) }, SeededGenerator.For(1, "test")));
}
