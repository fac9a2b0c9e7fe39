namespace Federated.Shared.SecureAggregation.Client;

/// <summary>A neighbour's verified public keys.</summary>
/// <param name="Mask">Masks are agreed with it.</param>
/// <param name="Channel">Shares are sealed with it.</param>
internal readonly record struct NeighbourKeys(AgreementPublicKey Mask, AgreementPublicKey Channel);
