namespace Federated.Server.SecureAggregation;

/// <summary>Where a group stands on the server.</summary>
internal enum ServerStep
{
    /// <summary>Takes key advertisements (R0).</summary>
    CollectingKeys = 0,

    /// <summary>Takes sealed shares (R2).</summary>
    CollectingShares = 2,

    /// <summary>Takes masked inputs (R3).</summary>
    CollectingInputs = 3,

    /// <summary>Takes signatures on the survivors (R4).</summary>
    CollectingSignatures = 4,

    /// <summary>Takes the shares that unmask the sum (R5).</summary>
    CollectingUnmasking = 5,

    /// <summary>Holds the sum.</summary>
    Finished = 6,

    /// <summary>Holds the reason why there is none.</summary>
    Abandoned = 7,
}
