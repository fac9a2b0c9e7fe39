using Federated.Client.Transport;
using Federated.Shared.SecureAggregation;

namespace Federated.Client.Session;

/// <summary>Enrolled devices whose keys are fetched, with proof, before they are looked up.</summary>
public interface IMemberDirectory : IEnrolledDevices
{
    /// <summary>Fetches what is not known of these devices. Whose key cannot be proven is not found afterwards.</summary>
    /// <exception cref="ServerLinkException">The call failed.</exception>
    Task LearnAsync(IReadOnlyCollection<string> deviceIds, ByteCounter counter, CancellationToken cancellationToken);
}
