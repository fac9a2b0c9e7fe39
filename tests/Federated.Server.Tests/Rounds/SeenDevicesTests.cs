using Federated.Server.Rounds;

namespace Federated.Server.Tests.Rounds;

public sealed class SeenDevicesTests
{
    private static readonly DateTimeOffset _start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan _lifetime = TimeSpan.FromHours(10);

    private readonly SeenDevices<string> _seen = new(_lifetime, _start);

    [Fact]
    public void See_SeenBefore_GivesWhatItTold()
    {
        Assert.Null(See("pi", "old", 0));
        Assert.Equal("old", See("pi", "new", 1));
        Assert.True(_seen.TryGet("pi", out string? told));
        Assert.Equal(("new", 1), (told, _seen.Count));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(12)]
    [InlineData(15)]
    public void See_OfAnotherAfterLessThanALifetime_StillCountsIt(double seenAt)
    {
        See("other", "a", 8);
        See("pi", "a", seenAt);

        See("other", "a", seenAt + 9.9);

        Assert.Equal(2, _seen.Count);
        Assert.Equal("a", See("pi", "b", seenAt + 9.95));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(9.9)]
    public void See_OfAnotherAfterTwoLifetimes_HasForgottenIt(double seenAt)
    {
        See("pi", "a", seenAt);
        See("other", "a", seenAt + 9.9);

        See("other", "a", seenAt + 20);

        Assert.Equal(1, _seen.Count);
        Assert.False(_seen.TryGet("pi", out _));
        Assert.Null(See("pi", "a", seenAt + 20));
    }

    [Fact]
    public void See_DevicesThatChangeTheirNamesForEver_StaysBounded()
    {
        for (int hour = 0; hour < 1_000; hour++)
        {
            See($"pi-{hour}", "a", hour);
        }

        Assert.InRange(_seen.Count, 10, 20);
    }

    [Fact]
    public void See_NobodyForVeryLong_ForgetsAll()
    {
        See("pi", "a", 9);

        See("other", "a", 30);

        Assert.Equal(1, _seen.Count);
    }

    [Fact]
    public void Forget_WhereverItIs_IsGone()
    {
        See("older", "a", 0);
        See("younger", "a", 10);

        _seen.Forget("older");
        _seen.Forget("younger");

        Assert.Equal(0, _seen.Count);
    }

    private string? See(string device, string told, double hours) => _seen.See(device, told, _start.AddHours(hours));
}
