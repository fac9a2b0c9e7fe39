using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>Writes a rule's roles down by factor. Plain tensors are sent under every rule, base weights under none.</summary>
internal static class LoraRoles
{
    /// <summary>One role for each tensor of the layout.</summary>
    public static ImmutableArray<ParameterRole> Of(LoraLayout layout, ParameterRole a, ParameterRole b) =>
    [
        .. layout.Factors.Select(factor => factor switch
        {
            LoraMatrix.A => a,
            LoraMatrix.B => b,
            LoraMatrix.Base => ParameterRole.Frozen,
            _ => ParameterRole.Sent,
        }),
    ];
}
