using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Federated.Server.Aggregation;

/// <summary>
/// The weighted sum of a group's updates, exact and independent of the order of arrival: every contribution u·n is rounded
/// once to a multiple of 2^-28 and added as a 64-bit integer. Its memory is 8·P bytes however many updates it holds.
/// Resolution: a single update is kept to 2^-29/n of its values. No overflow: the sum of the largest magnitudes is kept as a
/// <see cref="Bound"/> and what would take it beyond 2^62 is refused. Not thread-safe; <see cref="Fold"/> uses further threads
/// inside for large inputs, and the result does not depend on it.
/// </summary>
internal sealed class RunningSum
{
    /// <summary>Fractional bits of the fixed-point values.</summary>
    public const int FractionBits = 28;

    /// <summary>Largest weight of one update: with 24 bits the product with a float32 is exact in float64.</summary>
    public const int MaxWeight = 1 << 24;

    /// <summary>Weight times magnitude stays below this, so that a contribution has less than 50 bits.</summary>
    public const double MaxProduct = 1 << 22;

    /// <summary>Largest P: the values are held in one array of bytes.</summary>
    public static readonly int MaxParameterCount = Array.MaxLength / sizeof(long);

    private const long MaxBound = 1L << 62;
    private const double One = 1L << FractionBits;

    /// <summary>
    /// Parameters of a block: its sums (8 KB) stay in the first-level cache while all updates of a batch pass, a page of each.
    /// </summary>
    private const int BlockLength = 1024;

    /// <summary>From this many values in a batch on, a second thread pays.</summary>
    private const long ParallelThreshold = 1 << 19;

    // Bytes rather than longs, so that they can be handed to a writer without a copy.
    private readonly byte[] _bytes;

    /// <summary>An empty sum.</summary>
    /// <param name="parameterCount">P, at least 1.</param>
    public RunningSum(int parameterCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parameterCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parameterCount, MaxParameterCount);
        ParameterCount = parameterCount;
        _bytes = new byte[parameterCount * sizeof(long)];
    }

    private RunningSum(byte[] bytes, int count, long totalWeight, long bound)
    {
        _bytes = bytes;
        ParameterCount = bytes.Length / sizeof(long);
        Count = count;
        TotalWeight = totalWeight;
        Bound = bound;
    }

    /// <summary>P.</summary>
    public int ParameterCount { get; }

    /// <summary>Updates it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Sum of their weights.</summary>
    public long TotalWeight { get; private set; }

    /// <summary>No value's magnitude exceeds this; at most 2^62.</summary>
    public long Bound { get; private set; }

    /// <summary>[P] Σ round(u·n·2^28).</summary>
    public ReadOnlySpan<long> Values => MemoryMarshal.Cast<byte, long>(_bytes);

    /// <summary>The values as 8·P little-endian bytes: a view that the next fold changes.</summary>
    public ReadOnlyMemory<byte> ValueBytes => _bytes;

    /// <summary>Looks at an update's values: [P], any length. Weights outside 1 to <see cref="MaxWeight"/> are never in range.</summary>
    public static UpdateCheck Check(ReadOnlySpan<float> update, int weight)
    {
        float magnitude = BitConverter.UInt32BitsToSingle(UpdateInspection.Scan(update, out double sumOfSquares));
        return float.IsFinite(magnitude)
            ? new UpdateCheck(true, IsInRange(magnitude, weight), Math.Sqrt(sumOfSquares), magnitude)
            : new UpdateCheck(false, false, double.PositiveInfinity, float.PositiveInfinity);
    }

    /// <summary>Whether an update of this magnitude and weight is in range and still fits.</summary>
    public bool CanFold(float maxMagnitude, int weight) =>
        IsInRange(maxMagnitude, weight) && Bound + LargestContribution(maxMagnitude, weight) <= MaxBound;

    /// <summary>
    /// Adds a batch. The values are trusted to be as <see cref="Check"/> found them; lengths, weights and the bound are verified
    /// for all of the batch before anything changes.
    /// </summary>
    /// <exception cref="ArgumentException">A length is not 4·P, or an update is out of range.</exception>
    /// <exception cref="InvalidOperationException">The batch as a whole does not fit any more; nothing was added.</exception>
    public void Fold(ReadOnlySpan<PendingUpdate> batch)
    {
        if (batch.IsEmpty)
        {
            return;
        }

        long bound = Bound;
        long weight = TotalWeight;
        double[] scales = new double[batch.Length];
        for (int i = 0; i < batch.Length; i++)
        {
            PendingUpdate update = batch[i];
            if (update.Values.Length != _bytes.Length / 2)
            {
                throw new ArgumentException($"Update {i} has {update.Values.Length} bytes, {ParameterCount} parameters take {_bytes.Length / 2}.", nameof(batch));
            }

            if (!IsInRange(update.MaxMagnitude, update.Weight))
            {
                throw new ArgumentException(
                    $"Update {i} has weight {update.Weight} and magnitude {update.MaxMagnitude}; weights are 1 to {MaxWeight} and the product stays below {MaxProduct}.", nameof(batch));
            }

            bound += LargestContribution(update.MaxMagnitude, update.Weight);
            if (bound > MaxBound)
            {
                throw new InvalidOperationException(
                    $"The sum holds {Count} updates and update {i} of {batch.Length} would take its bound to {bound}, beyond 2^62. Ask CanFold first and open another group.");
            }

            weight += update.Weight;
            scales[i] = update.Weight * One;
        }

        int blocks = (ParameterCount + BlockLength - 1) / BlockLength;
        if ((long)batch.Length * ParameterCount < ParallelThreshold || Environment.ProcessorCount == 1)
        {
            FoldBlocks(batch, scales, 0, blocks);
        }
        else
        {
            FoldInParallel(batch.ToArray(), scales, blocks);
        }

        Bound = bound;
        TotalWeight = weight;
        Count += batch.Length;
    }

    /// <summary>Forgets everything it holds.</summary>
    public void Clear()
    {
        _bytes.AsSpan().Clear();
        Count = 0;
        TotalWeight = 0;
        Bound = 0;
    }

    /// <summary>Adds another group's sum.</summary>
    /// <exception cref="ArgumentException">P differs.</exception>
    /// <exception cref="InvalidOperationException">The two do not fit together; nothing was added.</exception>
    public void Add(RunningSum other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.ParameterCount != ParameterCount)
        {
            throw new ArgumentException($"The other sum has {other.ParameterCount} parameters, this one {ParameterCount}.", nameof(other));
        }

        // Both are at most 2^62, so their sum is below 2^63.
        long bound = Bound + other.Bound;
        if (bound > MaxBound)
        {
            throw new InvalidOperationException($"The sums' bounds {Bound} and {other.Bound} exceed 2^62 together. Use fewer updates, or smaller weights, in a round.");
        }

        Span<long> values = MemoryMarshal.Cast<byte, long>(_bytes.AsSpan());
        TensorPrimitives.Add(values, other.Values, values);
        Bound = bound;
        TotalWeight += other.TotalWeight;
        Count += other.Count;
    }

    /// <summary>Writes the weighted mean of the updates, Σu·n / Σn, rounded once more to float32: [P].</summary>
    /// <exception cref="ArgumentException">The destination's length is not P.</exception>
    /// <exception cref="InvalidOperationException">It holds no update.</exception>
    public void Mean(Span<float> destination)
    {
        if (destination.Length != ParameterCount)
        {
            throw new ArgumentException($"The destination has {destination.Length} elements, the sum {ParameterCount}.", nameof(destination));
        }

        if (Count == 0)
        {
            throw new InvalidOperationException("The sum holds no update, so it has no mean.");
        }

        double divisor = One * TotalWeight;
        ReadOnlySpan<long> values = Values;
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = (float)(values[i] / divisor);
        }
    }

    /// <summary>The sums of updates that were whole numbers of weight 1, as whole numbers: [P].</summary>
    public long[] WholeNumbers()
    {
        long[] numbers = Values.ToArray();
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] >>= FractionBits;
        }

        return numbers;
    }

    /// <summary>A sum of whole-numbered updates of weight 1 that was computed elsewhere.</summary>
    /// <param name="totals">[P].</param>
    /// <param name="count">Updates in it, at least 1.</param>
    /// <param name="magnitude">Largest magnitude a single update can have had.</param>
    /// <exception cref="ArgumentException">A total is beyond what so many updates can sum up to, or the sum cannot hold them.</exception>
    public static RunningSum OfWholeNumbers(ReadOnlySpan<long> totals, int count, long magnitude)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        long most = checked(count * magnitude);
        if (most > MaxBound >> FractionBits)
        {
            throw new ArgumentException($"{count} updates of magnitude {magnitude} are beyond what a sum holds.", nameof(magnitude));
        }

        RunningSum sum = new(totals.Length) { Count = count, TotalWeight = count, Bound = most << FractionBits };
        Span<long> values = MemoryMarshal.Cast<byte, long>(sum._bytes.AsSpan());
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Math.Abs(totals[i]) <= most
                ? totals[i] << FractionBits
                : throw new ArgumentException($"Total {i} is {totals[i]}, {count} updates reach {most}.", nameof(totals));
        }

        return sum;
    }

    /// <summary>A sum as it was stored; <paramref name="values"/> are copied.</summary>
    /// <exception cref="ArgumentException">The parts contradict each other.</exception>
    internal static RunningSum Restore(ReadOnlySpan<byte> values, int count, long totalWeight, long bound)
    {
        byte[] bytes = values.ToArray();
        ReadOnlySpan<long> sums = MemoryMarshal.Cast<byte, long>(bytes);
        bool holds = sums.Length > 0 && bytes.Length % sizeof(long) == 0 && bound is >= 0 and <= MaxBound
            && totalWeight >= count && count >= 0 && (count > 0 || (totalWeight == 0 && bound == 0))
            && TensorPrimitives.Max(sums) <= bound && TensorPrimitives.Min(sums) >= -bound;
        return holds
            ? new RunningSum(bytes, count, totalWeight, bound)
            : throw new ArgumentException($"{bytes.Length} bytes of sums contradict count {count}, weight {totalWeight} or bound {bound}", nameof(values));
    }

    private static bool IsInRange(float maxMagnitude, int weight) =>
        weight is >= 1 and <= MaxWeight && maxMagnitude >= 0 && (double)maxMagnitude * weight < MaxProduct;

    // Rounding keeps order, so the largest magnitude gives the largest contribution.
    private static long LargestContribution(float maxMagnitude, int weight) => (long)Math.Round(maxMagnitude * (weight * One));

    private void FoldInParallel(PendingUpdate[] batch, double[] scales, int blocks)
    {
        int parts = Math.Min(blocks, Environment.ProcessorCount);
        Parallel.For(0, parts, part => FoldBlocks(batch, scales, (int)((long)blocks * part / parts), (int)((long)blocks * (part + 1) / parts)));
    }

    private void FoldBlocks(ReadOnlySpan<PendingUpdate> batch, ReadOnlySpan<double> scales, int firstBlock, int endBlock)
    {
        Span<long> values = MemoryMarshal.Cast<byte, long>(_bytes.AsSpan());
        for (int block = firstBlock; block < endBlock; block++)
        {
            int start = block * BlockLength;
            int length = Math.Min(BlockLength, ParameterCount - start);
            int offset = start * sizeof(float);
            int bytes = length * sizeof(float);
            Span<long> sums = values.Slice(start, length);
            int i = 0;
            for (; i <= batch.Length - FoldKernel.GroupSize; i += FoldKernel.GroupSize)
            {
                FoldKernel.AddFour(
                    sums,
                    batch[i].Values.Span.Slice(offset, bytes),
                    batch[i + 1].Values.Span.Slice(offset, bytes),
                    batch[i + 2].Values.Span.Slice(offset, bytes),
                    batch[i + 3].Values.Span.Slice(offset, bytes),
                    scales.Slice(i, FoldKernel.GroupSize));
            }

            for (; i < batch.Length; i++)
            {
                FoldKernel.AddOne(sums, batch[i].Values.Span.Slice(offset, bytes), scales[i]);
            }
        }
    }
}
