using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Server.Jobs;

/// <summary>Time limits of a round's phases.</summary>
public sealed record DeadlineSettings
{
    private const double MaxSeconds = 30.0 * 24 * 3600;

    [Description("Seconds to wait for a full cohort before a round begins with those who are there, if they make a quorum.")]
    [Range(0.001, MaxSeconds)]
    public double SelectSeconds { get; init; } = 600;

    [Description("Seconds from the assignment until a round closes.")]
    [Range(0.001, MaxSeconds)]
    public double ReportSeconds { get; init; } = 600;

    /// <summary><see cref="SelectSeconds"/> as a time span.</summary>
    [JsonIgnore]
    public TimeSpan Select => TimeSpan.FromSeconds(SelectSeconds);

    /// <summary><see cref="ReportSeconds"/> as a time span.</summary>
    [JsonIgnore]
    public TimeSpan Report => TimeSpan.FromSeconds(ReportSeconds);
}
