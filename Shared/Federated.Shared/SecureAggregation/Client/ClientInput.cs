using Federated.Shared.Models;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>What a client contributes.</summary>
/// <param name="Fields">
/// Its fields; the client takes the vector over and masks it in place, so that the plain values are gone once they are masked.
/// </param>
/// <param name="TrainedModel">Hash of the adapter it really trained from, computed from its bytes and not taken from a header.</param>
public sealed record ClientInput(FieldVector Fields, ContentHash TrainedModel);
