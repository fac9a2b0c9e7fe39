using Federated.Server.Identity;
using Microsoft.Extensions.Time.Testing;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Server.Tests.Identity;

/// <summary>What is kept of refused calls.</summary>
public sealed class RefusedCallsTests
{
    private readonly FakeTimeProvider _time = new();

    private RefusedCalls Refused { get; }

    public RefusedCallsTests() => Refused = new RefusedCalls(_time);

    [Fact]
    public void Note_CallsThatAreAlike_AreOneEntryWithTheLastTimeAndPeer()
    {
        Refused.Note("pi", ErrorCode.DeviceRevoked, "revoked", "10.0.0.1");
        Refused.Note("pi", ErrorCode.WrongDevice, "other", "10.0.0.2");
        _time.Advance(TimeSpan.FromHours(1));
        Refused.Note("pi", ErrorCode.DeviceRevoked, "revoked", "10.0.0.3");

        IReadOnlyList<RefusedCall> calls = Refused.Of("pi");
        Assert.Equal(["DeviceRevoked", "WrongDevice"], calls.Select(call => call.Code));
        Assert.Equal((2L, "10.0.0.3", _time.GetUtcNow()), (calls[0].Times, calls[0].Peer, calls[0].At));
        Assert.Equal(calls[0], Refused.Last("pi"));
        Assert.Empty(Refused.Of("other"));
        Assert.Null(Refused.Last("other"));
        Assert.Equal(0, Refused.OfStrangers().Total);
        Assert.Equal(3, Refused.Total);
    }

    [Fact]
    public void Note_Floods_KeepTheLatestAndCountThemAll()
    {
        for (int i = 0; i < 1000; i++)
        {
            Refused.Note(null, ErrorCode.TokenUnknown, $"guess {i}", "10.0.0.1");
            Refused.Note("pi", ErrorCode.WrongDevice, $"name {i}", "10.0.0.1");
        }

        Assert.Equal(1000, Refused.OfStrangers().Total);
        Assert.Equal(Enumerable.Range(0, RefusedCalls.KeptOfStrangers).Select(i => $"guess {999 - i}"), Refused.OfStrangers().Calls.Select(call => call.Detail));
        Assert.Equal(Enumerable.Range(0, RefusedCalls.KeptOfDevice).Select(i => $"name {999 - i}"), Refused.Of("pi").Select(call => call.Detail));
    }

    [Fact]
    public void Last_AfterADay_IsNone()
    {
        Refused.Note("pi", ErrorCode.TokenUsed, "used", "10.0.0.1");
        _time.Advance(RefusedCalls.Recent);
        Assert.NotNull(Refused.Last("pi"));

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(Refused.Last("pi"));
        Assert.Single(Refused.Of("pi"));
    }

    [Fact]
    public void Note_LongDetail_IsCut()
    {
        Refused.Note("pi", ErrorCode.BadSignature, new string('x', 10_000), "");

        Assert.Equal(300, Refused.Of("pi")[0].Detail.Length);
    }
}
