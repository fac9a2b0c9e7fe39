namespace Federated.Server.Grains;

/// <summary>What is known of a device.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.device")]
public sealed record DeviceRecord
{
    /// <summary>Rounds that a device's history keeps.</summary>
    public const int KeptRounds = 20;

    /// <summary>Errors that a device's history keeps.</summary>
    public const int KeptErrors = 8;

    /// <summary>The device.</summary>
    [Id(0)]
    public string DeviceId { get; init; } = "";

    /// <summary>Its population.</summary>
    [Id(1)]
    public string Population { get; init; } = "";

    /// <summary>Its labels.</summary>
    [Id(2)]
    public Dictionary<string, string> Labels { get; init; } = [];

    /// <summary>Version of its client.</summary>
    [Id(3)]
    public string ClientVersion { get; init; } = "";

    /// <summary>Its engine.</summary>
    [Id(4)]
    public string Engine { get; init; } = "";

    /// <summary>First check-in.</summary>
    [Id(5)]
    public DateTimeOffset FirstSeen { get; init; }

    /// <summary>Last change of the profile or end of a round.</summary>
    [Id(6)]
    public DateTimeOffset LastSeen { get; init; }

    /// <summary>Rounds it was selected for.</summary>
    [Id(7)]
    public long Selected { get; init; }

    /// <summary>Rounds it contributed to.</summary>
    [Id(8)]
    public long Contributed { get; init; }

    /// <summary>Which demand of its own policy keeps the device away; empty when none does.</summary>
    [Id(9)]
    public string Withheld { get; init; } = "";

    /// <summary>The same for people.</summary>
    [Id(10)]
    public string WithheldDetail { get; init; } = "";

    /// <summary>Its last rounds, oldest first, at most <see cref="KeptRounds"/>.</summary>
    [Id(11)]
    public List<DeviceRound> Rounds { get; init; } = [];

    /// <summary>Its last errors, oldest first, at most <see cref="KeptErrors"/>.</summary>
    [Id(12)]
    public List<DeviceError> Errors { get; init; } = [];

    /// <summary>The record where the update of a round that is in it came after all. What was in the model stays so, and rounds that are not kept any more are not told again.</summary>
    public DeviceRecord WithLate(DeviceRound round)
    {
        int index = this.Rounds.FindIndex(known => known.JobId == round.JobId && known.Round == round.Round);
        if (index < 0 || this.Rounds[index].Outcome is Federated.Server.Rounds.ClientOutcome.Done or Federated.Server.Rounds.ClientOutcome.Late)
        {
            return this;
        }

        List<DeviceRound> rounds = [.. this.Rounds];
        rounds[index] = round;
        return this with
        {
            LastSeen = round.EndedAt > LastSeen ? round.EndedAt : LastSeen,
            Rounds = rounds,
            Errors =
            [
                .. Errors.Where(error => error.JobId != round.JobId || error.Round != round.Round).TakeLast(KeptErrors - 1),
                new DeviceError(round.EndedAt, round.JobId, round.Round, round.Error!),
            ],
        };
    }

    /// <summary>The record with one more round.</summary>
    public DeviceRecord With(DeviceRound round) => this with
    {
        LastSeen = round.EndedAt > LastSeen ? round.EndedAt : LastSeen,
        Selected = Selected + 1,
        Contributed = Contributed + (round.Outcome == Federated.Server.Rounds.ClientOutcome.Done ? 1 : 0),
        Rounds = [.. this.Rounds.TakeLast(KeptRounds - 1), round],
        Errors = round.Error is { } error
            ? [.. Errors.TakeLast(KeptErrors - 1), new DeviceError(round.EndedAt, round.JobId, round.Round, error)]
            : Errors,
    };
}

/// <summary>A device's identity, profile and participation. Key: the device.</summary>
[Alias("federated.device-grain")]
public interface IDeviceGrain : IGrainWithStringKey
{
    /// <summary>The device was seen with this profile.</summary>
    [Alias("seen")]
    [OneWay]
    Task Seen(string population, CheckIn profile);

    /// <summary>The device said why it stays away.</summary>
    [Alias("withheld")]
    [OneWay]
    Task Withheld(string population, CheckIn profile, string reason, string detail);

    /// <summary>A round it was selected for has ended.</summary>
    [Alias("participated")]
    [OneWay]
    Task Participated(DeviceRound round);

    /// <summary>Its update of a round that has ended came after the close.</summary>
    [Alias("came-late")]
    [OneWay]
    Task CameLate(DeviceRound round);

    /// <summary>What is known; null for a device that never checked in.</summary>
    [Alias("record")]
    Task<DeviceRecord?> Record();
}
