using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// FedSA-LoRA (Guo et al. 2024, "Selective Aggregation for Low-Rank Adaptation in Federated Learning", arXiv 2410.01463, section 3): A holds what clients
/// have in common and is averaged; B holds what is a client's own and stays on the device from round to round. There is no global B: the server's
/// adapter keeps the one it began with, so that a central evaluation shows the plain tensors at work and no ΔW; what a device gets out of the job is
/// on the device.
/// </summary>
internal sealed class FedsaRule(LoraLayout layout, LayerSchedule? layers) : FactorMeanRule(layout, layers)
{
    /// <inheritdoc/>
    protected override ImmutableArray<ParameterRole> FactorRoles(long round) => LoraRoles.Of(Layout, a: ParameterRole.Sent, b: ParameterRole.Kept);
}
