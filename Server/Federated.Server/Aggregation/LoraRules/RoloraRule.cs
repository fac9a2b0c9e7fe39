using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// RoLoRA (Chen et al. 2024, "Robust Federated Finetuning of Foundation Models via Alternating Minimization of LoRA", arXiv 2409.02346,
/// algorithm 1): one factor is trained and averaged while the other stands, A in even rounds and B in odd ones. Exact in every round for the same
/// reason as <see cref="FfaRule"/>, and with half the bytes; but A learns too. Rounds count from 1, so B is first, which it must be: while B is zero A
/// has no gradient.
/// </summary>
internal sealed class RoloraRule(LoraLayout layout, LayerSchedule? layers) : FactorMeanRule(layout, layers)
{
    /// <inheritdoc/>
    protected override ImmutableArray<ParameterRole> FactorRoles(long round) => round % 2 == 0
        ? LoraRoles.Of(Layout, a: ParameterRole.Sent, b: ParameterRole.Frozen)
        : LoraRoles.Of(Layout, a: ParameterRole.Frozen, b: ParameterRole.Sent);
}
