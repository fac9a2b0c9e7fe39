namespace Federated.Server.Storage;

/// <summary>Where an object can be read for a while.</summary>
/// <param name="Address">The address, which is as secret as the object.</param>
/// <param name="LengthBytes">Length of the whole object.</param>
internal readonly record struct ObjectAddress(Uri Address, long LengthBytes);
