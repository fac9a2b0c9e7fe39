using Federated.Server.SecureAggregation;
using Federated.Shared.Protocol;

namespace Federated.Server.Tests.SecureAggregation;

public sealed class RefusedSumTests
{
    [Fact]
    public void FromBytes_WhatWasWritten_IsTheSame()
    {
        RefusedSum read = RefusedSum.FromBytes(new RefusedSum("3 clients sum up to 9 examples", ["a", "b", "c"]).ToBytes());
        Assert.Equal("3 clients sum up to 9 examples", read.Reason);
        Assert.Equal(["a", "b", "c"], read.Devices);
    }

    [Fact]
    public void FromBytes_CutOff_IsRefused()
    {
        byte[] document = new RefusedSum("reason", ["a", "b"]).ToBytes();
        Assert.All(Enumerable.Range(0, document.Length), length => Assert.Throws<ProtocolViolationException>(() => RefusedSum.FromBytes(document.AsMemory(0, length))));
    }
}
