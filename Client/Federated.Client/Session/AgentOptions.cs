namespace Federated.Client.Session;

/// <summary>When an agent stops and how it waits. Immutable.</summary>
public sealed record AgentOptions
{
    /// <summary>Stop after so many contributed rounds; null for never. At least 1.</summary>
    public long? Rounds { get; init; }

    /// <summary>Stop at the first check-in that brings no assignment. False by default.</summary>
    public bool UntilIdle { get; init; }

    /// <summary>Ceiling of the first wait after a failure; it doubles with each. 1 s by default.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Highest ceiling of a wait after failures. 5 min by default.</summary>
    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromMinutes(5);
}
