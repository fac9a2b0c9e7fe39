namespace Federated.Shared.SecureAggregation;

/// <summary>A member of a group as the roster names it.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="MaskKey">Public key its masks are agreed with.</param>
/// <param name="ChannelKey">Public key its shares are sealed with.</param>
/// <param name="Signature">The device's, over header, device and keys: [64].</param>
public sealed record GroupMember(string DeviceId, AgreementPublicKey MaskKey, AgreementPublicKey ChannelKey, ReadOnlyMemory<byte> Signature);
