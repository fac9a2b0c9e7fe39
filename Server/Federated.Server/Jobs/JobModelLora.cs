using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Modeling.Lora;
using Federated.Shared.Models;

namespace Federated.Server.Jobs;

/// <summary>Low-rank changes of a builder's model. Packages bring their own.</summary>
public sealed record JobModelLora
{
    [Description("Rank of every layer's change.")]
    [Range(1, LoraInjection.MaxRank)]
    public required int Rank { get; init; }

    [Description("The change is scaled by alpha / rank; twice the rank when left out.")]
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double? Alpha { get; init; }

    [Description("Regular expression that layer names are searched for: conv1 and dense1 and so on; self_attn.q_proj and the like for gpt; attention.query and the like for vit.")]
    public string Targets { get; init; } = ".*";

    [Description("Seeds the factors A; the factors B are zero at first.")]
    public ulong Seed { get; init; } = 1;

    /// <summary>The settings as packages state them.</summary>
    internal PackageLora ToPackageLora() => new(Rank, Alpha ?? 2.0 * Rank, Targets, Seed);
}
