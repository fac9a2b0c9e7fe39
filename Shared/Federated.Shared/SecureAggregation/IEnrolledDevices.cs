namespace Federated.Shared.SecureAggregation;

/// <summary>
/// The devices that may take part, and the keys they sign with. The protocol's guarantees against a malicious server hold for those keys
/// alone that the server did not make up, so a client has to have them from enrollment, not from the round.
/// </summary>
public interface IEnrolledDevices
{
    /// <summary>The key of a device, or null when it is not enrolled. Stays the directory's.</summary>
    DeviceVerifyingKey? Find(string deviceId);
}
