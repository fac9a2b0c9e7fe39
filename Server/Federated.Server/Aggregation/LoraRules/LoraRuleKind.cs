namespace Federated.Server.Aggregation.LoraRules;

/// <summary>The rules by which the pairs of factors of a cohort become one model.</summary>
public enum LoraRuleKind
{
    /// <summary>A and B averaged separately (FedIT, Zhang et al. 2023, arXiv 2305.05644).</summary>
    Fedit,

    /// <summary>A frozen, B averaged (FFA-LoRA, Sun et al. 2024, arXiv 2403.12313).</summary>
    Ffa,

    /// <summary>A in even rounds, B in odd ones (RoLoRA, Chen et al. 2024, arXiv 2409.02346).</summary>
    Rolora,

    /// <summary>Stacked factors, merged into the base weights (FLoRA, Wang et al. 2024, arXiv 2409.05976).</summary>
    Flora,

    /// <summary>Mean product, taken apart again by singular values (FlexLoRA, Bai et al. 2024, arXiv 2402.11505).</summary>
    Flexlora,

    /// <summary>Zero-padded factors, weighted by the norm of their product (HetLoRA, Cho et al. 2024, arXiv 2401.06432).</summary>
    Hetlora,

    /// <summary>A averaged, B kept on the device (FedSA-LoRA, Guo et al. 2024, arXiv 2410.01463).</summary>
    Fedsa,
}
