namespace Federated.Simulator.Runs;

/// <summary>A run that had begun could not write what it has to, for example because the disk is full. The message is for people.</summary>
internal sealed class RunBrokenException(string message, Exception inner) : Exception(message, inner);
