namespace Federated.Training.Tests;

public sealed class WorkspacePoolTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RentAsync_AllLent_WaitsForOneToComeBack()
    {
        LeastSquaresModel model = new(1);
        using WorkspacePool pool = new(model, 2);
        WorkspaceLease first = await pool.RentAsync(Token);
        using WorkspaceLease second = await pool.RentAsync(Token);
        Task<WorkspaceLease> third = pool.RentAsync(Token);
        Assert.False(third.IsCompleted);
        IModelWorkspace workspace = first.Workspace;
        first.Dispose();
        using WorkspaceLease lease = await third;
        Assert.Same(workspace, lease.Workspace);
        Assert.Equal(2, model.Created);
    }

    [Fact]
    public async Task RentAsync_CancelledWhileWaiting_LeavesThePoolWhole()
    {
        using WorkspacePool pool = new(new LeastSquaresModel(1), 1);
        WorkspaceLease only = await pool.RentAsync(Token);
        using CancellationTokenSource source = new();
        Task<WorkspaceLease> waiting = pool.RentAsync(source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        only.Dispose();
        using WorkspaceLease again = await pool.RentAsync(Token);
        Assert.NotNull(again.Workspace);
    }

    [Fact]
    public async Task Dispose_LeaseTwice_GivesTheWorkspaceBackOnce()
    {
        using WorkspacePool pool = new(new LeastSquaresModel(1), 1);
        WorkspaceLease lease = await pool.RentAsync(Token);
        lease.Dispose();
        lease.Dispose();
        Assert.Throws<ObjectDisposedException>(() => lease.Workspace);
        using WorkspaceLease again = await pool.RentAsync(Token);
        Assert.False(pool.RentAsync(Token).IsCompleted);
    }

    [Fact]
    public async Task Dispose_PoolWithLentWorkspace_FreesItWhenItComesBack()
    {
        LeastSquaresModel model = new(1);
        WorkspacePool pool = new(model, 2);
        WorkspaceLease lent = await pool.RentAsync(Token);
        (await pool.RentAsync(Token)).Dispose();
        pool.Dispose();
        Assert.Equal(1, model.Freed);
        lent.Dispose();
        Assert.Equal(2, model.Freed);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.RentAsync(Token));
    }
}
