namespace Federated.Server.Grains;

/// <summary>Wakes everybody who waits for the next change, again and again. For callers that share one scheduler: not thread-safe.</summary>
internal sealed class ChangeSignal
{
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the next change. Taken before the state is looked at, so that no change in between is missed.</summary>
    public Task Next => _next.Task;

    /// <summary>Something has changed.</summary>
    public void Set()
    {
        TaskCompletionSource changed = _next;
        _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }
}
