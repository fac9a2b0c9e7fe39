using System.Buffers;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Seeds;
using Federated.Training.Optimizers;

namespace Federated.Training;

/// <summary>
/// A client's part of a round without gradients (FedKSeed, Qin et al., arXiv 2312.06353, algorithm 1; after MeZO, Malladi et al.,
/// arXiv 2305.17333): each step draws one of K directions z_j, measures the slope ρ of the loss along it with two forward passes, steps
/// w ← w − ηρ·z_j and adds −ηρ to the direction's amount. The K amounts are the update; whoever has the seed replays it. It takes the memory of
/// inference and about as many steps more as there are parameters, so learning rates are far below those of gradients.
/// <para>
/// Deviations: directions are of signs (see <see cref="SeededDirections"/>) and drawn anew each round, so that many rounds are not confined
/// to K dimensions; all K are drawn with the same probability.
/// </para>
/// </summary>
public static class ZerothOrderTrainer
{
    /// <summary>Trains from <paramref name="start"/>; the trained adapter is left in <see cref="IModelWorkspace.Adapter"/>.</summary>
    /// <param name="workspace">Whose adapter is overwritten. Used by this call alone until it returns.</param>
    /// <param name="examples">The client's examples, at least 1.</param>
    /// <param name="start">w_t: [P]. Not changed.</param>
    /// <param name="plan">Epochs, batches, most steps and learning rate; the rule of stepping is plain SGD whatever it says.</param>
    /// <param name="directions">Of as many parameters as are trained.</param>
    /// <param name="distance">ε, above 0.</param>
    /// <param name="randomness">Orders the examples and draws directions.</param>
    /// <param name="amounts">[K], overwritten: Σ −ηρ of each direction.</param>
    /// <param name="trained">What of the adapter is trained, in ascending order and without overlap; all of it when empty.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>Steps, examples and mean loss (that of the two points of each step). Training stops at the first loss that is no number.</returns>
    /// <exception cref="ArgumentException">A length is another, the plan is out of range, or there are no examples.</exception>
    public static LocalTrainingResult Train(
        IModelWorkspace workspace,
        IExampleSource examples,
        ReadOnlySpan<float> start,
        LocalTrainingPlan plan,
        SeededDirections directions,
        double distance,
        SeededGenerator randomness,
        Span<float> amounts,
        ReadOnlySpan<TrainedRange> trained,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(directions);
        ArgumentNullException.ThrowIfNull(randomness);
        LocalOptimizers.Validate(plan);
        ReadOnlySpan<TrainedRange> ranges = trained.IsEmpty ? [new TrainedRange(0, workspace.Adapter.Length)] : trained;
        Demand(workspace, examples, start, directions, amounts, TrainedRange.Total(ranges));

        // What is trained lies together here, because a direction is one run of signs.
        float[] point = new float[directions.ParameterCount];
        start.CopyTo(workspace.Adapter);
        Gather(start, ranges, point);
        amounts.Clear();
        int[] order = [.. Enumerable.Range(0, examples.Count)];
        int batchSize = plan.BatchSize == 0 ? order.Length : Math.Min(plan.BatchSize, order.Length);
        int batches = (order.Length + batchSize - 1) / batchSize;
        int limit = plan.MaxSteps == 0 ? int.MaxValue : plan.MaxSteps;
        int steps = 0;
        double lossSum = 0;
        for (; steps < (long)plan.Epochs * batches && steps < limit && double.IsFinite(lossSum); steps++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int batch = steps % batches;
            if (batch == 0)
            {
                randomness.Shuffle(order.AsSpan());
            }

            ReadOnlySpan<int> indices = order.AsSpan(batch * batchSize, Math.Min(batchSize, order.Length - (batch * batchSize)));
            int direction = randomness.NextInt(directions.Count);
            double ahead = LossAt(workspace, examples, indices, directions, direction, (float)distance, point, ranges);
            double behind = LossAt(workspace, examples, indices, directions, direction, -(float)distance, point, ranges);
            lossSum += (ahead + behind) / 2;
            float amount = (float)(-plan.LearningRate * SeededDirections.Slope(ahead, behind, distance));
            directions.Step(direction, amount, point);
            amounts[direction] += amount;
        }

        Scatter(point, ranges, workspace.Adapter);
        return new LocalTrainingResult(steps, order.Length, double.IsFinite(lossSum) ? lossSum / steps : double.NaN);
    }

    /// <summary>Mean loss of a batch at point + offset·z. The point itself is not touched, so that no rounding creeps into it.</summary>
    private static double LossAt(
        IModelWorkspace workspace,
        IExampleSource examples,
        ReadOnlySpan<int> indices,
        SeededDirections directions,
        int direction,
        float offset,
        float[] point,
        ReadOnlySpan<TrainedRange> ranges)
    {
        float[] shifted = ArrayPool<float>.Shared.Rent(point.Length);
        try
        {
            Span<float> place = shifted.AsSpan(0, point.Length);
            point.CopyTo(place);
            directions.Step(direction, offset, place);
            Scatter(place, ranges, workspace.Adapter);
            return workspace.Evaluate(examples, indices).MeanLoss;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(shifted);
        }
    }

    private static void Gather(ReadOnlySpan<float> adapter, ReadOnlySpan<TrainedRange> ranges, Span<float> point)
    {
        foreach (TrainedRange range in ranges)
        {
            adapter.Slice(range.Offset, range.Length).CopyTo(point);
            point = point[range.Length..];
        }
    }

    private static void Scatter(ReadOnlySpan<float> point, ReadOnlySpan<TrainedRange> ranges, Span<float> adapter)
    {
        foreach (TrainedRange range in ranges)
        {
            point[..range.Length].CopyTo(adapter.Slice(range.Offset, range.Length));
            point = point[range.Length..];
        }
    }

    private static void Demand(
        IModelWorkspace workspace,
        IExampleSource examples,
        ReadOnlySpan<float> start,
        SeededDirections directions,
        Span<float> amounts,
        int trained)
    {
        if (start.Length != workspace.Adapter.Length)
        {
            throw new ArgumentException(
                $"The adapter to start from has {start.Length} parameters, the model has {workspace.Adapter.Length}. Fetch the adapter of this model package.",
                nameof(start));
        }

        if (directions.ParameterCount != trained)
        {
            throw new ArgumentException($"The directions are of {directions.ParameterCount} parameters, {trained} are trained.", nameof(directions));
        }

        if (amounts.Length != directions.Count)
        {
            throw new ArgumentException($"There are {amounts.Length} amounts for {directions.Count} directions.", nameof(amounts));
        }

        if (examples.Count < 1)
        {
            throw new ArgumentException("There are no examples to train on. A client without data must not check in.", nameof(examples));
        }
    }
}
