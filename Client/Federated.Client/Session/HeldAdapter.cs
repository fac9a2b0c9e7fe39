using Federated.Shared.Models;

namespace Federated.Client.Session;

/// <summary>An adapter that a device started a round from.</summary>
/// <param name="Version">The model version that it is.</param>
/// <param name="IsExact">Whether it is that version bit for bit, rather than rounded.</param>
/// <param name="Values">[P].</param>
/// <param name="Change">
/// Of a rounded one, hash of the change that leads to its version: the number alone does not tell the version, since a server whose store was restored from a backup gives
/// numbers anew. Null when it is not known; an exact one is told by what changes lead to.
/// </param>
public sealed record HeldAdapter(long Version, bool IsExact, ReadOnlyMemory<float> Values, ContentHash? Change = null);
