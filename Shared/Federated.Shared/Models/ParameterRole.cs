namespace Federated.Shared.Models;

/// <summary>What a trainable tensor is to the clients of a round.</summary>
public enum ParameterRole
{
    /// <summary>Neither trained nor sent: it stays as the round's adapter has it.</summary>
    Frozen = 0,

    /// <summary>Trained, and its delta is part of the update.</summary>
    Sent = 1,

    /// <summary>Trained, and kept on the device from round to round; it never leaves the device.</summary>
    Kept = 2,
}
