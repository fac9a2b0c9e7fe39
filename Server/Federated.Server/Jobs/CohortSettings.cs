using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Server.Jobs;

/// <summary>How many devices take part in a round.</summary>
public sealed record CohortSettings : ISettings
{
    /// <summary>Largest goal.</summary>
    public const int MaxGoal = 10_000;

    [Description("Updates at which a round commits at once.")]
    [Range(1, MaxGoal)]
    public int Goal { get; init; } = 10;

    [Description("Devices selected for each update wanted; 1.3 selects 30 % more than the goal to cover drop-outs.")]
    [Range(1.0, 10.0)]
    public double OverSelection { get; init; } = 1.3;

    [Description("Share of the goal with which a round still commits at its deadline.")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Quorum { get; init; } = 0.8;

    [Description("Devices that must wait before a cohort is selected; 0 selects as soon as there are enough for it.")]
    [Range(0, 10_000_000)]
    public int MinimumPool { get; init; }

    /// <summary>Devices selected for a round: goal × over-selection, rounded up.</summary>
    [JsonIgnore]
    public int CohortSize => (int)Math.Ceiling((decimal)OverSelection * Goal);

    /// <summary>Least updates with which a round commits: quorum × goal, rounded up.</summary>
    [JsonIgnore]
    public int QuorumCount => (int)Math.Max(1, Math.Ceiling((decimal)Quorum * Goal));

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (Goal is >= 1 and <= MaxGoal && OverSelection is >= 1 and <= 10 && MinimumPool > 0 && Quorum is > 0 and <= 1 && MinimumPool < QuorumCount)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "minimumPool"),
                $"{MinimumPool} with a quorum of {QuorumCount} devices",
                $"0, or {QuorumCount} and above: a smaller pool can never commit; or lower quorum or goal");
        }
    }
}
