namespace Federated.Server.Rounds;

/// <summary>What a round is opened with.</summary>
/// <param name="Goal">Updates at which it commits at once, at least 1.</param>
/// <param name="Quorum">Least updates with which it commits at all, 1 to <paramref name="Goal"/>.</param>
/// <param name="Cohort">The selected devices, each once.</param>
internal sealed record RoundSettings(int Goal, int Quorum, IReadOnlyList<string> Cohort);

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
