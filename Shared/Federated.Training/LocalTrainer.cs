using System.Buffers;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Training.Optimizers;

namespace Federated.Training;

/// <summary>
/// A client's part of a round (ClientUpdate in McMahan et al. 2017, arXiv 1602.05629, algorithm 1): E epochs of shuffled batches
/// of B. The same start, examples, plan and generator give the same adapter bit for bit on the same engine and processor.
/// </summary>
public static class LocalTrainer
{
    /// <summary>Trains from <paramref name="start"/>; the trained adapter is left in <see cref="IModelWorkspace.Adapter"/>.</summary>
    /// <param name="workspace">Whose adapter is overwritten. Used by this call alone until it returns.</param>
    /// <param name="examples">The client's examples, at least 1; each epoch visits every one once, in a fresh order.</param>
    /// <param name="start">w_t: [P], P = layout.Length. Not changed.</param>
    /// <param name="plan">How to train. An epoch's last batch may be short.</param>
    /// <param name="shuffle">Orders the examples; advanced by one shuffle an epoch.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <param name="trained">What of the adapter is trained, in ascending order and without overlap; all of it when empty. The rest stays as it began.</param>
    /// <returns>
    /// Steps, examples and mean loss. Once a loss is NaN nothing after it can be a number, so training stops there and
    /// <see cref="LocalTrainingResult.Diverged"/> is set; the adapter is then worthless. The last step's own result is not
    /// looked at: whoever uploads the adapter checks that it is finite.
    /// </returns>
    /// <exception cref="ArgumentException">The plan is out of range, the start has the wrong length, or there are no examples.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the adapter holds the steps taken so far.</exception>
    public static LocalTrainingResult Train(
        IModelWorkspace workspace,
        IExampleSource examples,
        ReadOnlySpan<float> start,
        LocalTrainingPlan plan,
        SeededGenerator shuffle,
        CancellationToken cancellationToken,
        ReadOnlySpan<TrainedRange> trained = default)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(shuffle);
        ILocalOptimizer optimizer = LocalOptimizers.For(plan);
        int parameters = workspace.Adapter.Length;
        if (start.Length != parameters)
        {
            throw new ArgumentException(
                $"The adapter to start from has {start.Length} parameters, the model has {parameters}. Fetch the adapter of this model package.",
                nameof(start));
        }

        int count = examples.Count;
        if (count < 1)
        {
            throw new ArgumentException("There are no examples to train on. A client without data must not check in.", nameof(examples));
        }

        ReadOnlySpan<TrainedRange> ranges = trained.IsEmpty ? [new TrainedRange(0, parameters)] : trained;
        int stateLength = checked(optimizer.StateArrays * TrainedRange.Total(ranges));
        int[] order = ArrayPool<int>.Shared.Rent(count);
        float[] state = ArrayPool<float>.Shared.Rent(stateLength);
        try
        {
            start.CopyTo(workspace.Adapter);
            state.AsSpan(0, stateLength).Clear();
            for (int i = 0; i < count; i++)
            {
                order[i] = i;
            }

            return Run(
                workspace, examples, start, plan, optimizer, ranges, order.AsSpan(0, count), state.AsSpan(0, stateLength), shuffle, cancellationToken);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(state);
            ArrayPool<int>.Shared.Return(order);
        }
    }

    private static LocalTrainingResult Run(
        IModelWorkspace workspace,
        IExampleSource examples,
        ReadOnlySpan<float> start,
        LocalTrainingPlan plan,
        ILocalOptimizer optimizer,
        ReadOnlySpan<TrainedRange> trained,
        Span<int> order,
        Span<float> state,
        SeededGenerator shuffle,
        CancellationToken cancellationToken)
    {
        int count = order.Length;
        int batchSize = plan.BatchSize == 0 ? count : Math.Min(plan.BatchSize, count);
        float mu = (float)plan.ProximalMu;
        int steps = 0;
        double lossSum = 0;
        for (int epoch = 0; epoch < plan.Epochs; epoch++)
        {
            shuffle.Shuffle(order);
            for (int first = 0; first < count; first += batchSize)
            {
                if (plan.MaxSteps > 0 && steps >= plan.MaxSteps)
                {
                    return new LocalTrainingResult(steps, count, lossSum / steps);
                }

                cancellationToken.ThrowIfCancellationRequested();
                float loss = workspace.LossAndGradient(examples, order.Slice(first, Math.Min(batchSize, count - first)));
                lossSum += loss;
                steps++;
                if (float.IsNaN(loss))
                {
                    return new LocalTrainingResult(steps, count, double.NaN);
                }

                Step(workspace, start, mu, optimizer, steps, trained, state);
            }
        }

        return new LocalTrainingResult(steps, count, lossSum / steps);
    }

    /// <summary>One step of the trained ranges, each with a part of the state to itself: what is frozen must not decay or drift either.</summary>
    private static void Step(
        IModelWorkspace workspace,
        ReadOnlySpan<float> start,
        float mu,
        ILocalOptimizer optimizer,
        int step,
        ReadOnlySpan<TrainedRange> trained,
        Span<float> state)
    {
        foreach (TrainedRange range in trained)
        {
            Span<float> adapter = workspace.Adapter.Slice(range.Offset, range.Length);
            Span<float> gradient = workspace.Gradient.Slice(range.Offset, range.Length);
            if (mu != 0)
            {
                ProximalTerm.AddTo(gradient, adapter, start.Slice(range.Offset, range.Length), mu);
            }

            int stateLength = optimizer.StateArrays * range.Length;
            optimizer.Step(step, adapter, gradient, state[..stateLength]);
            state = state[stateLength..];
        }
    }
}
