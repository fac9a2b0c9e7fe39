namespace Federated.Simulator.Runs;

/// <summary>A person stopped a run before its job began: there is no account of it. Its message says how to run it after all.</summary>
internal sealed class RunStoppedEarlyException(string message, CancellationToken token) : OperationCanceledException(message, token);
