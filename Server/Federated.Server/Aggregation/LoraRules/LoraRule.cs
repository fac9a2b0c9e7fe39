using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>Makes the rule a job asks for.</summary>
internal static class LoraRule
{
    /// <summary>The rule of this kind for a package.</summary>
    /// <param name="kind">Which rule.</param>
    /// <param name="layout">The package's adapter.</param>
    /// <param name="reportsBias">Whether rules that average both factors tell their bias; ignored by the others.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="layers">How layers come to take part, for rules that <see cref="TakesLayers"/>; null for all from the start.</param>
    /// <exception cref="ArgumentException">The rule needs the products of all targets and they are too large, or base weights that are not there.</exception>
    public static ILoraRule Create(LoraRuleKind kind, LoraLayout layout, bool reportsBias, ulong seed, LayerPace? layers = null) => kind switch
    {
        LoraRuleKind.Fedit => new FeditRule(layout, reportsBias, Schedule(layout, layers)),
        LoraRuleKind.Ffa => new FfaRule(layout, Schedule(layout, layers)),
        LoraRuleKind.Rolora => new RoloraRule(layout, Schedule(layout, layers)),
        LoraRuleKind.Flora => new FloraRule(layout, seed),
        LoraRuleKind.Flexlora => new FlexloraRule(layout, seed),
        LoraRuleKind.Hetlora => new HetloraRule(layout, reportsBias),
        LoraRuleKind.Fedsa => new FedsaRule(layout, Schedule(layout, layers)),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such rule."),
    };

    /// <summary>Whether both factors are averaged, so that the product of the averages misses the average of the products.</summary>
    public static bool IsBiased(LoraRuleKind kind) => kind is LoraRuleKind.Fedit or LoraRuleKind.Hetlora;

    /// <summary>Whether clients of a round may have different ranks.</summary>
    public static bool TakesRanks(LoraRuleKind kind) => kind is LoraRuleKind.Flora or LoraRuleKind.Flexlora or LoraRuleKind.Hetlora;

    /// <summary>Whether each tensor is averaged by itself, so that some may be left out of a round.</summary>
    public static bool TakesLayers(LoraRuleKind kind) => !TakesRanks(kind);

    /// <summary>Whether the rule makes the next adapter itself, so that no server optimizer may step in between.</summary>
    public static bool ReplacesFactors(LoraRuleKind kind) => kind is LoraRuleKind.Flora or LoraRuleKind.Flexlora;

    /// <summary>Whether each round's update is of the same factors, so that a later one can make up for what an earlier one left out.</summary>
    public static bool SendsTheSameEveryRound(LoraRuleKind kind) => kind is not LoraRuleKind.Rolora && !ReplacesFactors(kind);

    private static LayerSchedule? Schedule(LoraLayout layout, LayerPace? pace) => pace is { } layers ? new LayerSchedule(layout, layers) : null;
}
