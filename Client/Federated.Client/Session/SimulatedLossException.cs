namespace Federated.Client.Session;

/// <summary>An observer makes the device vanish. The server is told, because a repeatable run must not wait on the wall clock.</summary>
public sealed class SimulatedLossException(string message) : Exception(message);
