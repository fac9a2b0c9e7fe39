namespace Federated.Shared.Models;

/// <summary>An object that can be downloaded.</summary>
/// <param name="Hash">Its SHA-256, under which it is asked for.</param>
/// <param name="LengthBytes">Its length, at least 1.</param>
public readonly record struct ObjectReference(ContentHash Hash, long LengthBytes);
