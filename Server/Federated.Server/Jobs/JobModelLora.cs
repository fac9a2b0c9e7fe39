using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Modeling.Lora;
using Federated.Shared.Models;

namespace Federated.Server.Jobs;

/// <summary>Low-rank changes of a builder's model. Packages bring their own.</summary>
public sealed record JobModelLora : ISettings
{
    [Description("Rank of every layer's change.")]
    [Range(1, LoraInjection.MaxRank)]
    public required int Rank { get; init; }

    [Description("The change is scaled by alpha / rank; twice the rank when left out.")]
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double? Alpha { get; init; }

    [Description("Regular expression that layer names are searched for: conv1, conv2, … and dense1, dense2, …")]
    public string Targets { get; init; } = ".*";

    [Description("Seeds the factors A; the factors B are zero at first.")]
    public ulong Seed { get; init; } = 1;

    [Description("SHA-256 of the adapter of a job that trained the whole model: its weights are frozen. Without it the frozen weights are drawn from the job's seed.")]
    public string? Base { get; init; }

    /// <summary>The settings as packages state them.</summary>
    internal PackageLora ToPackageLora() => new(Rank, Alpha ?? 2.0 * Rank, Targets, Seed);

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (Base is not null && !ContentHash.TryParse(Base, out _))
        {
            yield return new SettingProblem(SettingProblem.At(path, "base"), $"'{Base}'", "the 64 hexadecimal characters of an adapter's SHA-256");
        }
    }
}
