using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>What a group on the server works with.</summary>
/// <param name="Devices">Keys of the devices.</param>
/// <param name="Threads">Most threads that unmasking takes; at least 1.</param>
internal sealed record ServerTerms(IEnrolledDevices Devices, int Threads);
