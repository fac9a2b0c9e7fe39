using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Federated.Shared.Randomness;

namespace Federated.Shared.Updates.Indices;

/// <summary>
/// Deals the parameters, one after the other, over the buckets of a round's vote, alike for everyone who has the seed. Each parameter is in two: one is a
/// run of neighbours, rows of a matrix, which tend to be large together; the other is drawn, so that over the rounds the members of a run are told apart.
/// Run bounds are shifted by the seed. Fewer than four buckets are all drawn. One pass for each instance.
/// </summary>
internal struct VoteBuckets
{
    private readonly LaneGenerator _random;
    private readonly int _runs;
    private readonly int _drawn;
    private readonly int _runLength;
    private int _run;
    private int _leftOfRun;

    /// <summary>Begins with the first parameter.</summary>
    /// <param name="seed">The round's.</param>
    /// <param name="parameterCount">P.</param>
    /// <param name="buckets">At least 1.</param>
    public VoteBuckets(ulong seed, int parameterCount, int buckets)
    {
        _random = LaneGenerator.For(seed, "votes");
        _runs = buckets < 4 ? 0 : buckets / 2;
        _drawn = buckets - _runs;
        if (_runs > 0)
        {
            // One run more than the parameters fill makes room for the shift.
            _runLength = (int)(((long)parameterCount + _runs - 2) / (_runs - 1));
            _leftOfRun = _runLength - (int)(_random.NextBits()[0] % (uint)_runLength);
        }
    }

    /// <summary>Adds the next parameters' values to the sums of their buckets.</summary>
    /// <param name="values">Of the next parameters; a multiple of <see cref="LaneGenerator.Lanes"/> of them, but for the last call.</param>
    /// <param name="sums">One for each bucket.</param>
    public void Add(ReadOnlySpan<float> values, Span<float> sums)
    {
        Span<float> drawn = sums.Slice(_runs, _drawn);
        Span<uint> bits = stackalloc uint[LaneGenerator.Lanes];
        for (int i = 0; i < values.Length; i += LaneGenerator.Lanes)
        {
            _random.NextBits().CopyTo(bits);
            ReadOnlySpan<float> lanes = values.Slice(i, Math.Min(LaneGenerator.Lanes, values.Length - i));
            for (int lane = 0; lane < lanes.Length; lane++)
            {
                drawn[Drawn(bits[lane])] += lanes[lane];
            }
        }

        for (int i = 0; i < values.Length && _runs > 0;)
        {
            int length = NextOfRun(values.Length - i);
            float sum = sums[_run];
            foreach (float value in values.Slice(i, length))
            {
                sum += value;
            }

            sums[_run] = sum;
            i += length;
        }
    }

    /// <summary>Multiplies the next parameters' values by the factors of their buckets.</summary>
    /// <param name="values">Of the next parameters, changed in place; a multiple of <see cref="LaneGenerator.Lanes"/> of them, but for the last call.</param>
    /// <param name="factors">One for each bucket.</param>
    public void Scale(Span<float> values, ReadOnlySpan<float> factors)
    {
        ReadOnlySpan<float> drawn = factors.Slice(_runs, _drawn);
        Span<uint> bits = stackalloc uint[LaneGenerator.Lanes];
        for (int i = 0; i < values.Length; i += LaneGenerator.Lanes)
        {
            _random.NextBits().CopyTo(bits);
            Span<float> lanes = values.Slice(i, Math.Min(LaneGenerator.Lanes, values.Length - i));
            for (int lane = 0; lane < lanes.Length; lane++)
            {
                lanes[lane] *= drawn[Drawn(bits[lane])];
            }
        }

        for (int i = 0; i < values.Length && _runs > 0;)
        {
            int length = NextOfRun(values.Length - i);
            Span<float> run = values.Slice(i, length);
            TensorPrimitives.Multiply(run, factors[_run], run);
            i += length;
        }
    }

    private readonly int Drawn(uint bits) => (int)(((ulong)bits * (uint)_drawn) >> 32);

    /// <summary>Takes up to so many parameters of one run, <see cref="_run"/>; at least one.</summary>
    private int NextOfRun(int atMost)
    {
        if (_leftOfRun == 0)
        {
            _run++;
            _leftOfRun = _runLength;
        }

        int taken = Math.Min(atMost, _leftOfRun);
        _leftOfRun -= taken;
        return taken;
    }
}
