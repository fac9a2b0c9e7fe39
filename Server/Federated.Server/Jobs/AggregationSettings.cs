using System.ComponentModel;

namespace Federated.Server.Jobs;

/// <summary>Rules by which updates are combined.</summary>
public enum AggregationRule
{
    /// <summary>The mean weighted by examples; needs only a running sum.</summary>
    Mean,

    /// <summary>The update nearest to its neighbours (Blanchard et al. 2017, arXiv 1703.02757); needs every single update.</summary>
    Krum,

    /// <summary>Coordinate-wise trimmed mean (Yin et al. 2018, arXiv 1803.01498); needs every single update.</summary>
    TrimmedMean,

    /// <summary>Coordinate-wise median (same paper); needs every single update.</summary>
    Median,
}

/// <summary>How updates are combined.</summary>
public sealed record AggregationSettings : ISettings
{
    [Description("mean: weighted by examples. The others need single updates, which this version does not keep; it offers mean alone.")]
    public AggregationRule Rule { get; init; } = AggregationRule.Mean;

    [Description("How LoRA factors are combined, for models that have them; null is rolora.")]
    public LoraSettings? Lora { get; init; }

    [Description("Secure aggregation: devices mask their updates in groups, so that the server learns sums alone; null for none. Needs update.codec = linear and enrolled devices.")]
    public SecureAggregationSettings? Secure { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (Rule != AggregationRule.Mean)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "rule"),
                NameOf(Rule),
                "mean: this version adds updates up as they arrive and keeps none, and this rule compares single updates");
        }
    }

    /// <summary>The rule's name as a job's file writes it.</summary>
    internal static string NameOf(AggregationRule rule) => AllowedText.NameOf(rule, StrictJson.Options);
}
