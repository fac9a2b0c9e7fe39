using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// FFA-LoRA (Sun et al. 2024, "Improving LoRA in Privacy-preserving Federated Learning", arXiv 2403.12313, section 4): A stays as the package drew
/// it, the same on every device; B is averaged. Exact, because Σp·BᵢA = (Σp·Bᵢ)A, and linear, so that noise added to B stays noise of one factor. Half the
/// bytes, at the price of directions: ΔW can only be built from the rows that A was drawn with.
/// </summary>
internal sealed class FfaRule(LoraLayout layout, LayerSchedule? layers) : FactorMeanRule(layout, layers)
{
    /// <inheritdoc/>
    protected override ImmutableArray<ParameterRole> FactorRoles(long round) => LoraRoles.Of(Layout, a: ParameterRole.Frozen, b: ParameterRole.Sent);
}
