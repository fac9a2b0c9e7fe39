using System.Collections.Concurrent;

namespace Federated.Training;

/// <summary>
/// Lends a model's workspaces to more tasks than there are workspaces: virtual clients by the thousand share a handful. A workspace
/// is made when none lies idle, up to the capacity. Thread-safe. Dispose the pool before the model.
/// </summary>
public sealed class WorkspacePool : IDisposable
{
    private readonly ITrainableModel _model;
    private readonly SemaphoreSlim _free;

    // A stack: the workspace used last is the one still in a cache.
    private readonly ConcurrentStack<IModelWorkspace> _idle = new();
    private volatile bool _disposed;

    /// <summary>A pool of at most <paramref name="capacity"/> workspaces, usually one a training thread.</summary>
    /// <param name="model">Whose workspaces; it outlives the pool.</param>
    /// <param name="capacity">At least 1.</param>
    public WorkspacePool(ITrainableModel model, int capacity)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _model = model;
        Capacity = capacity;
        _free = new SemaphoreSlim(capacity, capacity);
    }

    /// <summary>Most workspaces lent at a time.</summary>
    public int Capacity { get; }

    /// <summary>The model whose workspaces these are.</summary>
    public ITrainableModel Model => _model;

    /// <summary>Borrows a workspace, waiting for one to come back if all are lent. Its adapter holds whatever the last user left.</summary>
    /// <returns>A lease; disposing it gives the workspace back.</returns>
    public async Task<WorkspaceLease> RentAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return new WorkspaceLease(this, _idle.TryPop(out IModelWorkspace? workspace) ? workspace : _model.CreateWorkspace());
        }
        catch
        {
            _free.Release();
            throw;
        }
    }

    /// <summary>Frees the idle workspaces; lent ones are freed when they come back. Who waits or asks afterwards is refused.</summary>
    public void Dispose()
    {
        _disposed = true;
        FreeIdle();
    }

    internal void Return(IModelWorkspace workspace)
    {
        _idle.Push(workspace);
        if (_disposed)
        {
            FreeIdle();
        }

        _free.Release();
    }

    private void FreeIdle()
    {
        while (_idle.TryPop(out IModelWorkspace? workspace))
        {
            workspace.Dispose();
        }
    }
}
