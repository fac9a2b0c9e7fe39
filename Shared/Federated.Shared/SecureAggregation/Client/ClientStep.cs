namespace Federated.Shared.SecureAggregation.Client;

/// <summary>Where a client stands in the protocol.</summary>
public enum ClientStep
{
    /// <summary>Waits for the signed header (R0).</summary>
    AwaitingInvitation,

    /// <summary>Has advertised its keys, waits for everyone's (R1).</summary>
    AwaitingRoster,

    /// <summary>Has shared its secrets, waits for the shares of others (R2).</summary>
    AwaitingShares,

    /// <summary>Has sent its masked input, waits for the survivors (R3, R4).</summary>
    AwaitingSurvivors,

    /// <summary>Has signed the survivors, waits for the signatures of others (R4, R5).</summary>
    AwaitingConsistency,

    /// <summary>Has given out what unmasks the sum, and forgotten it (R5).</summary>
    Completed,

    /// <summary>Has left the group and forgotten everything.</summary>
    Aborted,
}
