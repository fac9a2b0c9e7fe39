namespace Federated.Shared.SecureAggregation;

/// <summary>One mask to lay over a vector, or to take off.</summary>
/// <param name="Key">The key of its stream: [32]. Secret.</param>
/// <param name="Subtract">Whether it is subtracted.</param>
public readonly record struct MaskKey(byte[] Key, bool Subtract);
