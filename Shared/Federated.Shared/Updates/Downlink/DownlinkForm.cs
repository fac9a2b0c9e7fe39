namespace Federated.Shared.Updates.Downlink;

/// <summary>How a new adapter reaches a client. Numbers are wire format.</summary>
public enum DownlinkForm
{
    /// <summary>
    /// The change on an index set that the client already has, in 8-bit blocks, added to the previous version. Approximate.
    /// </summary>
    SameSet = 1,

    /// <summary>
    /// The parameters that differ from the client's version: their indices in Golomb's code, their new values as float32. Exact.
    /// </summary>
    Delta = 2,

    /// <summary>All parameters in 8-bit blocks. Approximate.</summary>
    Adapter8 = 3,

    /// <summary>All parameters as float32. Exact.</summary>
    Adapter32 = 4,

    /// <summary>The change of the parameters that differ: their indices in Golomb's code, the change in 8-bit blocks, added to the previous version. Approximate.</summary>
    Change8 = 5,

    /// <summary>The change of all parameters in 8-bit blocks, added to the previous version. Approximate.</summary>
    WholeChange8 = 6,
}
