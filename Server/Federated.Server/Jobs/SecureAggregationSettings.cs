using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Server.SecureAggregation;

namespace Federated.Server.Jobs;

/// <summary>Masking of updates in groups, so that the server learns their sum alone (docs/SECURITY.md).</summary>
public sealed record SecureAggregationSettings : ISettings
{
    /// <summary>Most devices of a group: its sum is one ring's, and members' work grows with it.</summary>
    public const int MaxGroupSize = 128;

    /// <summary>Least members that devices accept unless they are told otherwise.</summary>
    public const int DeviceFloor = 3;

    [Description("Least devices of an aggregation group, where the cohort has enough for two; groups have less than twice as many. A third of a group may drop out.")]
    [Range(DeviceFloor, MaxGroupSize)]
    public int GroupSize { get; init; } = GroupPartition.LeastSize;

    [Description("Devices that must advertise their keys, or the group is abandoned. Devices have a floor of their own and refuse groups below it.")]
    [Range(DeviceFloor, MaxGroupSize)]
    public int MinMembers { get; init; } = 5;

    [Description("How long a step of the protocol after the first waits for devices that say nothing, in seconds. Who has not answered by then has dropped out.")]
    [Range(0.1, 3600.0)]
    public double StepSeconds { get; init; } = 20;

    [Description("Share of deadlines.reportSeconds after which the first step closes with the devices that have trained by then; the rest is for the steps that follow.")]
    [Range(0.1, 0.95)]
    public double KeysShare { get; init; } = 0.6;

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (MinMembers > GroupSize)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "minMembers"), $"{MinMembers} with groupSize = {GroupSize}", $"{DeviceFloor} to {GroupSize}; or a larger groupSize");
        }
    }

    /// <summary>What these settings and the rest of a job cannot do together.</summary>
    internal IEnumerable<SettingProblem> ValidateWith(CohortSettings cohort, UpdateSettings update)
    {
        const string Path = "aggregation.secure";
        if (update.Codec != UpdateCodec.Linear)
        {
            yield return new SettingProblem(
                "update.codec",
                $"{AllowedText.NameOf(update.Codec, StrictJson.Options)} together with {Path}",
                $"linear: masked updates add up only when all devices write the same coordinates in whole numbers of one ring; or {Path} = null");
        }

        if (cohort.QuorumCount < MinMembers)
        {
            yield return new SettingProblem(
                $"{Path}.minMembers",
                $"{MinMembers} with a quorum of {cohort.QuorumCount} devices",
                $"at most {cohort.QuorumCount}: a round with its quorum alone could not be summed; or raise cohort.goal or cohort.quorum");
        }
    }

    /// <summary>Devices of the largest group of a cohort.</summary>
    internal static int LargestGroup(SecureAggregationSettings? settings, int cohort)
    {
        SecureAggregationSettings used = settings ?? new SecureAggregationSettings();
        return GroupPartition.Sizes(cohort, DeviceFloor, used.GroupSize) is [int largest, ..] ? largest : cohort;
    }
}
