namespace Federated.Shared.SecureAggregation;

/// <summary>Who shares a mask with whom. Numbers are wire format.</summary>
public enum GroupTopologyKind
{
    /// <summary>Everyone with everyone; threshold ⌊2g/3⌋ + 1.</summary>
    Complete = 0,

    /// <summary>
    /// Everyone with k neighbours in a Harary graph over a random order; degree and threshold by <see cref="HararyParameters"/>. It
    /// protects against a server that follows the protocol and looks at what it receives.
    /// </summary>
    NeighbourGraph = 1,
}
