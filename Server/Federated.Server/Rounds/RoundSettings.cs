namespace Federated.Server.Rounds;

/// <summary>What a round is opened with.</summary>
/// <param name="Goal">Updates at which it commits at once, at least 1.</param>
/// <param name="Quorum">Least updates with which it commits at all, 1 to <paramref name="Goal"/>.</param>
/// <param name="Cohort">The selected devices, each once.</param>
internal sealed record RoundSettings(int Goal, int Quorum, IReadOnlyList<string> Cohort);

/// <summary>Whether a round still takes updates.</summary>
internal enum RoundPhase
{
    /// <summary>It takes updates.</summary>
    Collecting,

    /// <summary>It has its decision.</summary>
    Closed,
}

/// <summary>How a round was decided: <see cref="Commit"/> or <see cref="Abandon"/>.</summary>
internal abstract record RoundDecision
{
    private RoundDecision()
    {
    }

    /// <summary>The aggregate becomes the next model version.</summary>
    public sealed record Commit : RoundDecision;

    /// <summary>The model stands.</summary>
    /// <param name="Reason">Why, for people, with the numbers.</param>
    public sealed record Abandon(string Reason) : RoundDecision;
}

/// <summary>What becomes of a submission.</summary>
internal enum SubmissionVerdict
{
    /// <summary>Fold it, make it durable, then tell <see cref="RoundStateMachine.Accepted"/>.</summary>
    Admit,

    /// <summary>This very content was accepted from this device before.</summary>
    Duplicate,

    /// <summary>Other content was accepted from this device before.</summary>
    Conflict,

    /// <summary>The device is not of the cohort.</summary>
    NotSelected,

    /// <summary>The round had committed.</summary>
    Late,

    /// <summary>The round had been abandoned.</summary>
    Abandoned,
}

/// <summary>A round's whole state in plain values, for storage. Dictionaries and lists are ordered ordinally by device.</summary>
internal sealed record RoundSnapshot
{
    /// <summary>Goal.</summary>
    public required int Goal { get; init; }

    /// <summary>Quorum.</summary>
    public required int Quorum { get; init; }

    /// <summary>The cohort.</summary>
    public required IReadOnlyList<string> Cohort { get; init; }

    /// <summary>Accepted devices and the hexadecimal hash of their content.</summary>
    public required IReadOnlyDictionary<string, string> Accepted { get; init; }

    /// <summary>Devices that gave up or were missing at the deadline, and why.</summary>
    public required IReadOnlyDictionary<string, string> Dropped { get; init; }

    /// <summary>Devices whose submission came after the close.</summary>
    public required IReadOnlyList<string> Late { get; init; }

    /// <summary>Null while collecting.</summary>
    public RoundOutcome? Outcome { get; init; }

    /// <summary>Why it was abandoned.</summary>
    public string Reason { get; init; } = "";
}
