namespace Federated.Shared.Updates.Indices;

/// <summary>How the index set that all clients of a round share is found. Numbers are wire format.</summary>
public enum IndexSetKind
{
    /// <summary>
    /// Uniformly random of the round's seed: every client draws it for itself. The sum is scaled by the inverse inclusion probability,
    /// which makes it unbiased; clients keep no residual, which would be counted on top.
    /// </summary>
    Random = 1,

    /// <summary>
    /// The largest magnitudes of the server's momentum, and random others. The server tells it. The random part is scaled by its inverse
    /// inclusion probability, so the sum is unbiased; clients keep no residual.
    /// </summary>
    Momentum = 2,

    /// <summary>
    /// The largest squared residuals, summed over the clients of earlier rounds. The server tells it. Nothing is scaled: clients keep what
    /// was left out as a residual and send it when its turn comes.
    /// </summary>
    Voted = 3,
}
