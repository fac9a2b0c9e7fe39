using System.Reflection;
using Federated.Server.Grains;
using Orleans.Concurrency;

namespace Federated.Server.Tests.Rounds;

/// <summary>Round and group call each other: what a group asks while the round waits for it must not wait for the round in turn.</summary>
public sealed class RoundGrainContractTests
{
    [Theory]
    [InlineData(nameof(IRoundGrain.Facts))]
    [InlineData(nameof(IRoundGrain.IsOpen))]
    [InlineData(nameof(IRoundGrain.Advertised))]
    [InlineData(nameof(IRoundGrain.GroupEnded))]
    public void Call_OfAGroupToItsRound_Interleaves(string method) =>
        Assert.NotNull(typeof(IRoundGrain).GetMethod(method)!.GetCustomAttribute<AlwaysInterleaveAttribute>());
}
