using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Grains;

/// <summary>From a round to the header that a group's members check.</summary>
internal static class GroupHeaders
{
    /// <summary>The header of one attempt of a group.</summary>
    /// <param name="start">The round, under secure aggregation.</param>
    /// <param name="plan">The plan of the group's members.</param>
    /// <param name="linear">The plan's linear round.</param>
    /// <param name="number">The group, and above it the attempt.</param>
    public static GroupHeader Of(RoundStart start, PlanDocument plan, LinearRound linear, int number) => new()
    {
        JobId = start.JobId,
        Round = start.Round,
        Group = number,
        Model = plan.Adapter,
        Plan = plan.Hash,
        FieldCount = linear.FieldCount,
        ScalarFieldCount = linear.StatisticsFields,
        WidthBits = linear.WidthBits,
        MinField = -linear.Limit,
        MaxField = linear.Limit,
        MinMembers = start.Secure!.MinMembers,
        MaxMembers = linear.MaxClients,
    };
}
