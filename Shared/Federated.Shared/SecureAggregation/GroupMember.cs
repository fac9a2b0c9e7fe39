namespace Federated.Shared.SecureAggregation;

/// <summary>A member of a group as the roster names it. Its keys are read and its signature is verified by those that use them.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="MaskKey">Public key its masks are agreed with: [33].</param>
/// <param name="ChannelKey">Public key its shares are sealed with: [33].</param>
/// <param name="Signature">The device's, over header, device and keys: [64].</param>
public sealed record GroupMember(
    string DeviceId, ReadOnlyMemory<byte> MaskKey, ReadOnlyMemory<byte> ChannelKey, ReadOnlyMemory<byte> Signature);
