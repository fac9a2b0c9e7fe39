using Federated.Shared.Models;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

/// <summary>Values that tests begin with.</summary>
internal static class Sample
{
    public static GroupHeader Header() => new()
    {
        JobId = "job-1",
        Round = 7,
        Group = 2,
        Model = ContentHash.Of([1]),
        Plan = ContentHash.Of([2]),
        FieldCount = 100,
        ScalarFieldCount = 2,
        WidthBits = 16,
        MinField = -100,
        MaxField = 100,
        MinMembers = 3,
        MaxMembers = 50,
    };

    public static SessionId Session(byte content) => SessionId.FromBytes(ContentHash.Of([content]).ToBytes());
}
