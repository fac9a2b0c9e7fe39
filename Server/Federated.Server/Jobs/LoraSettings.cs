using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Shared.Protocol;

namespace Federated.Server.Jobs;

/// <summary>How the LoRA factors of a cohort become one model.</summary>
public sealed record LoraSettings : ISettings
{
    [Description("fedit: A and B averaged separately; ffa: A frozen, B averaged; rolora: A in even rounds, B in odd; flora: products merged into the base weights; flexlora: mean product, taken apart by singular values; hetlora: zero-padded factors weighted by norm; fedsa: A averaged, B kept on the device.")]
    public LoraRuleKind Rule { get; init; } = LoraRuleKind.Rolora;

    [Description("Ranks by class of device; null gives every device the package's rank. Needs flora, flexlora or hetlora.")]
    public RankSettings? Ranks { get; init; }

    [Description("fedit and hetlora: tell in every round's record by how much the product of the averaged factors misses the averaged product. The sum then also carries the product of every target.")]
    public bool AveragingBias { get; init; }

    [Description("Progressive depth: the model's blocks take part from the output backwards; null lets all take part from the first round. Needs fedit, ffa, rolora or fedsa.")]
    public LayerSettings? Layers { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (Layers is not null && (!LoraRule.TakesLayers(Rule) || AveragingBias))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "layers"),
                $"layers together with {(AveragingBias ? "averagingBias" : $"rule = {NameOf(Rule)}")}",
                "null: products of all layers are summed; or fedit, ffa, rolora or fedsa without averagingBias");
        }

        if (Ranks is not null && !LoraRule.TakesRanks(Rule))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "ranks"),
                $"ranks together with rule = {NameOf(Rule)}",
                "null: this rule averages factors of one rank; or set rule to flora, flexlora or hetlora");
        }

        if (AveragingBias && !LoraRule.IsBiased(Rule))
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "averagingBias"),
                $"true together with rule = {NameOf(Rule)}",
                "false: only fedit and hetlora average both factors, the other rules have no such bias");
        }
    }

    /// <summary>What these settings and the rest of a job cannot do together.</summary>
    internal IEnumerable<SettingProblem> ValidateWith(ServerOptimizerSettings server, UpdateSettings update, AggregationSettings aggregation)
    {
        const string Path = "aggregation.lora";
        if (LoraRule.ReplacesFactors(Rule) && (server.Optimizer != ServerOptimizerKind.FedAvg || server.LearningRate != 1))
        {
            yield return new SettingProblem(
                $"{Path}.rule",
                $"{NameOf(Rule)} together with server.optimizer = {AllowedText.NameOf(server.Optimizer, StrictJson.Options)} and server.learningRate = {server.LearningRate}",
                "fedit, ffa, rolora, hetlora or fedsa: this rule makes new factors in every round, and a step along their old ones means nothing; or set "
                + "server.optimizer to fedAvg and server.learningRate to 1");
        }

        if (update.Codec == UpdateCodec.Linear && (Rule is LoraRuleKind.Flora or LoraRuleKind.Flexlora or LoraRuleKind.Hetlora || AveragingBias))
        {
            bool rule = Rule is not LoraRuleKind.Fedit;
            string beside = aggregation.Secure is null ? "update.codec = linear" : "aggregation.secure and update.codec = linear";
            yield return new SettingProblem(
                rule ? $"{Path}.rule" : $"{Path}.averagingBias",
                $"{(rule ? NameOf(Rule) : "true")} together with {beside}",
                $"{(rule ? "fedit, ffa, rolora or fedsa" : "false")}: the server would have to multiply single devices' factors, and with this codec it has their sum "
                + "alone; or another update.codec");
        }

        if (aggregation.Rule != AggregationRule.Mean)
        {
            yield return new SettingProblem(
                Path,
                $"a LoRA rule together with aggregation.rule = {AggregationSettings.NameOf(aggregation.Rule)}",
                "null; or set aggregation.rule to mean: the LoRA rules are means of factors or of their products");
        }

        foreach (SettingProblem problem in ValidateWith(update))
        {
            yield return problem;
        }
    }

    /// <summary>Demands that what a codec leaves out in one round still fits what is sent in the next.</summary>
    internal IEnumerable<SettingProblem> ValidateWith(UpdateSettings update)
    {
        const string Path = "aggregation.lora";
        if (!update.KeepsResidual)
        {
            yield break;
        }

        string codec = AllowedText.NameOf(update.Codec, StrictJson.Options) + (update.Codec == UpdateCodec.Linear ? " and indexSet = voted" : "");
        if (Layers is not null)
        {
            yield return new SettingProblem(
                $"{Path}.layers",
                $"layers together with update.codec = {codec}",
                "null: what this codec leaves out is added to the next update, which is of more layers; or set update.codec to dense or quantized, or to linear with another index set");
        }

        if (!LoraRule.SendsTheSameEveryRound(Rule))
        {
            yield return new SettingProblem(
                $"{Path}.rule",
                $"{NameOf(Rule)} together with update.codec = {codec}",
                "fedit, ffa, hetlora or fedsa: what this codec leaves out is added to the next update, which is of other factors under this rule; or set "
                + "update.codec to dense or quantized");
        }
        else if (Ranks is not null)
        {
            yield return new SettingProblem(
                $"{Path}.ranks",
                $"ranks together with update.codec = {codec}",
                "null: what this codec leaves out is added to the next update, which has another length when the device's rank changes; or set update.codec "
                + "to dense or quantized");
        }
    }

    private static string NameOf(LoraRuleKind rule) => AllowedText.NameOf(rule, StrictJson.Options);
}

/// <summary>Ranks by class of device: of each pair a device of rank r trains and sends the leading r rows of A and columns of B.</summary>
public sealed record RankSettings : ISettings
{
    [Description("The label whose value decides; a simulated device has the label profile.")]
    [Identifier]
    public required string Label { get; init; }

    [Description("Rank for each value of the label. Devices with another value, or without the label, have the package's rank.")]
    public required IReadOnlyDictionary<string, int> Values { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (Values.Count == 0)
        {
            yield return new SettingProblem(SettingProblem.At(path, "values"), "no entry", "at least one value of the label with its rank");
        }

        foreach ((string value, int rank) in Values.Where(entry => entry.Value is < 1 or > ParameterPlan.MaxRank))
        {
            yield return new SettingProblem(SettingProblem.At(SettingProblem.At(path, "values"), value), $"{rank}", $"1 to {ParameterPlan.MaxRank}");
        }
    }

    /// <summary>The rank of a device by its label's value; 0 for the package's.</summary>
    internal int RankOf(string? value) => value is not null && Values.TryGetValue(value, out int rank) ? rank : 0;
}

/// <summary>How fast a model's blocks come to take part, from its output backwards.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.layer-settings")]
public sealed record LayerSettings
{
    [Description("Blocks from the output that take part in the first round.")]
    [Range(1, 10_000)]
    [Id(0)]
    public int Start { get; init; } = 1;

    [Description("Rounds after which one more block takes part.")]
    [Range(1, 1_000_000)]
    [Id(1)]
    public required int EveryRounds { get; init; }

    /// <summary>The same for the rules.</summary>
    internal LayerPace ToPace() => new(Start, EveryRounds);
}
