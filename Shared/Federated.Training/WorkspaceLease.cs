namespace Federated.Training;

/// <summary>A borrowed workspace. Dispose it to give it back; doing so twice gives it back once.</summary>
public sealed class WorkspaceLease : IDisposable
{
    private readonly WorkspacePool _pool;
    private IModelWorkspace? _workspace;

    internal WorkspaceLease(WorkspacePool pool, IModelWorkspace workspace)
    {
        _pool = pool;
        _workspace = workspace;
    }

    /// <summary>The workspace, until the lease is disposed; do not dispose it itself.</summary>
    /// <exception cref="ObjectDisposedException">It has been given back.</exception>
    public IModelWorkspace Workspace => _workspace ?? throw new ObjectDisposedException(nameof(WorkspaceLease));

    /// <summary>Gives the workspace back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _workspace, null) is { } workspace)
        {
            _pool.Return(workspace);
        }
    }
}
