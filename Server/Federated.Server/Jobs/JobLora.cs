using System.Collections.Immutable;
using Federated.Server.Aggregation.LoraRules;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Jobs;

/// <summary>A job's LoRA settings together with its package: the rule, and the plans that follow from it. Immutable.</summary>
internal sealed class JobLora
{
    private readonly LoraLayout _layout;

    private JobLora(LoraLayout layout, LoraSettings settings, ulong seed)
    {
        _layout = layout;
        Settings = settings;
        Rule = LoraRule.Create(settings.Rule, layout, settings.AveragingBias, seed, settings.Layers?.ToPace());
    }

    /// <summary>The settings; those by default when the job states none.</summary>
    public LoraSettings Settings { get; }

    /// <summary>The rule.</summary>
    public ILoraRule Rule { get; }

    /// <summary>Null for a package without factors.</summary>
    public static JobLora? Open(JobSpec spec, PackageManifest manifest)
    {
        LoraLayout layout = LoraLayout.Of(manifest);
        return layout.IsEmpty ? null : new JobLora(layout, spec.Aggregation.Lora ?? new LoraSettings(), spec.Seed);
    }

    /// <summary>Demands that the settings fit the package.</summary>
    /// <exception cref="InvalidSettingsException">They do not.</exception>
    public static void Check(JobSpec spec, PackageManifest manifest)
    {
        SettingProblem[] problems = [.. Problems(spec, manifest, LoraLayout.Of(manifest))];
        if (problems.Length > 0)
        {
            throw new InvalidSettingsException(problems);
        }
    }

    /// <summary>What the clients of a round do.</summary>
    /// <param name="round">From 1.</param>
    /// <param name="rank">Their rank; 0 for the package's.</param>
    public ParameterPlan PlanOf(long round, int rank)
    {
        ImmutableArray<ParameterRole> roles = Rule.Roles(round);
        return new ParameterPlan { Rank = rank, Roles = roles, SentCount = ParameterSelection.Of(_layout, roles, ParameterRole.Sent, rank).Length };
    }

    /// <summary>What devices of the package's rank send in a round.</summary>
    public ParameterSelection SentIn(long round) => ParameterSelection.Of(_layout, Rule.Roles(round), ParameterRole.Sent);

    /// <summary>How many parameters devices of the package's rank train in a round, whether they send or keep them.</summary>
    public int TrainedIn(long round) => SentIn(round).Length + ParameterSelection.Of(_layout, Rule.Roles(round), ParameterRole.Kept).Length;

    private static IEnumerable<SettingProblem> Problems(JobSpec spec, PackageManifest manifest, LoraLayout layout)
    {
        const string Path = "aggregation.lora";
        if (layout.IsEmpty)
        {
            if (spec.Aggregation.Lora is not null)
            {
                yield return new SettingProblem(
                    Path, $"a LoRA rule for package '{manifest.Name}', which has no LoRA factors", "null; or a package with LoRA factors");
            }

            yield break;
        }

        if (spec.Aggregation.Lora is not { } settings)
        {
            // The rule by default holds for this package, which the job's file alone does not tell.
            foreach (SettingProblem problem in new LoraSettings().ValidateWith(spec.Update))
            {
                yield return problem;
            }

            yield break;
        }

        foreach ((string value, int rank) in (settings.Ranks?.Values ?? ImmutableDictionary<string, int>.Empty).Where(entry => entry.Value > layout.Rank))
        {
            yield return new SettingProblem(
                $"{Path}.ranks.values.{value}", $"{rank} with package '{manifest.Name}' of rank {layout.Rank}", $"1 to {layout.Rank}; or a package of a higher rank");
        }

        if (settings.Layers is { } layers && new LayerSchedule(layout, layers.ToPace()).Blocks < 2)
        {
            yield return new SettingProblem(
                $"{Path}.layers",
                $"layers with package '{manifest.Name}', whose names tell fewer than two blocks apart",
                "null; or a package whose layers are numbered, such as model.layers.0 and model.layers.1");
        }

        bool sumsProducts = settings.AveragingBias || LoraRule.ReplacesFactors(settings.Rule);
        if (sumsProducts && layout.ProductLength > PairProducts.MaxLength)
        {
            yield return new SettingProblem(
                settings.AveragingBias ? $"{Path}.averagingBias" : $"{Path}.rule",
                $"a sum of products of {layout.ProductLength} elements",
                $"at most {PairProducts.MaxLength}: a rule that sums factors, without averagingBias; or fewer targets");
        }
    }
}
