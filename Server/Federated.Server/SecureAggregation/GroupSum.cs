using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>What the server learns of a group: the sum, and whose inputs are in it.</summary>
/// <param name="Fields">Σ x_u modulo 2^b over the contributors.</param>
/// <param name="Contributors">Their devices, ascending.</param>
internal sealed record GroupSum(FieldVector Fields, IReadOnlyList<string> Contributors);
