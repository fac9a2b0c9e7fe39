using Federated.Shared.Models;

namespace Federated.Training;

/// <summary>
/// Evaluates a model on all examples of a source. Batches have a fixed size and their sums are added in batch order, so that the
/// result is the same bit for bit at any parallelism.
/// </summary>
public static class ModelEvaluator
{
    /// <summary>Most examples a batch: large enough to amortise a call, small enough that activations stay a few megabytes.</summary>
    public const int BatchSize = 500;

    /// <summary>Most elements of features or of scores a batch: a language model has a score for each token of its vocabulary at each position.</summary>
    private const long MaxBatchElements = 1 << 22;

    /// <summary>Evaluates with workspaces of its own, freed afterwards.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapter">[P], P = model.Layout.Length.</param>
    /// <param name="examples">What to evaluate on; without examples the sum is empty.</param>
    /// <param name="parallelism">Most threads at work, at least 1.</param>
    /// <param name="cancellationToken">Looked at before every batch.</param>
    /// <exception cref="ArgumentException">The adapter has the wrong length or the parallelism is not positive.</exception>
    public static async Task<EvaluationSum> EvaluateAsync(
        ITrainableModel model, ReadOnlyMemory<float> adapter, IExampleSource examples, int parallelism, CancellationToken cancellationToken)
    {
        using WorkspacePool pool = new(model, parallelism);
        return await EvaluateAsync(pool, adapter, examples, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Evaluates with a pool's workspaces, on as many threads as the pool lends; they may be shared with training.</summary>
    /// <param name="pool">Lends the workspaces.</param>
    /// <param name="adapter">[P], P = model.Layout.Length.</param>
    /// <param name="examples">What to evaluate on; without examples the sum is empty.</param>
    /// <param name="cancellationToken">Looked at before every batch.</param>
    /// <exception cref="ArgumentException">The adapter has the wrong length.</exception>
    public static Task<EvaluationSum> EvaluateAsync(
        WorkspacePool pool, ReadOnlyMemory<float> adapter, IExampleSource examples, CancellationToken cancellationToken) =>
        EvaluateAsync(pool, adapter, examples, workspace => workspace, cancellationToken);

    /// <summary>The same with workspaces that are seen through something, for example through one that waits before every batch.</summary>
    /// <param name="pool">Lends the workspaces.</param>
    /// <param name="adapter">[P], P = model.Layout.Length.</param>
    /// <param name="examples">What to evaluate on; without examples the sum is empty.</param>
    /// <param name="view">Gives what to evaluate with in place of a workspace.</param>
    /// <param name="cancellationToken">Looked at before every batch.</param>
    /// <exception cref="ArgumentException">The adapter has the wrong length.</exception>
    public static async Task<EvaluationSum> EvaluateAsync(
        WorkspacePool pool,
        ReadOnlyMemory<float> adapter,
        IExampleSource examples,
        Func<IModelWorkspace, IModelWorkspace> view,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(view);
        int parameters = pool.Model.Layout.Length;
        if (adapter.Length != parameters)
        {
            throw new ArgumentException(
                $"The adapter to evaluate has {adapter.Length} parameters, model '{pool.Model.Manifest.Name}' has {parameters}.", nameof(adapter));
        }

        int batchSize = BatchSizeFor(pool.Model.Manifest);
        int batches = (int)(((long)examples.Count + batchSize - 1) / batchSize);
        EvaluationSum[] results = new EvaluationSum[batches];
        int next = -1;
        Task[] workers = new Task[Math.Min(pool.Capacity, batches)];
        for (int w = 0; w < workers.Length; w++)
        {
            workers[w] = Task.Run(WorkAsync, cancellationToken);
        }

        await Task.WhenAll(workers).ConfigureAwait(false);
        EvaluationSum total = default;
        foreach (EvaluationSum result in results)
        {
            total += result;
        }

        return total;

        async Task WorkAsync()
        {
            using WorkspaceLease lease = await pool.RentAsync(cancellationToken).ConfigureAwait(false);
            IModelWorkspace workspace = view(lease.Workspace);
            adapter.Span.CopyTo(workspace.Adapter);
            int[] indices = new int[batchSize];
            for (int batch = Interlocked.Increment(ref next); batch < batches; batch = Interlocked.Increment(ref next))
            {
                cancellationToken.ThrowIfCancellationRequested();
                results[batch] = EvaluateBatch(workspace, examples, batch, indices);
            }
        }
    }

    private static int BatchSizeFor(PackageManifest manifest)
    {
        long elements = Math.Max(manifest.FeatureLength, (long)manifest.LabelLength * (manifest.Labels.Classes ?? 1));
        return (int)Math.Clamp(MaxBatchElements / elements, 1, BatchSize);
    }

    private static EvaluationSum EvaluateBatch(IModelWorkspace workspace, IExampleSource examples, int batch, int[] indices)
    {
        int first = batch * indices.Length;
        Span<int> span = indices.AsSpan(0, Math.Min(indices.Length, examples.Count - first));
        for (int i = 0; i < span.Length; i++)
        {
            span[i] = first + i;
        }

        return workspace.Evaluate(examples, span);
    }
}
