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
    private Vector256<uint> _bits;
    private int _lane = LaneGenerator.Lanes;
    private int _run = -1;
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
            _run = 0;
            _leftOfRun = _runLength - (int)(_random.NextBits()[0] % (uint)_runLength);
        }
    }

    /// <summary>Adds the next parameter's value to the sums of its buckets.</summary>
    /// <param name="value">Of the next parameter.</param>
    /// <param name="sums">One for each bucket.</param>
    public void Add(float value, Span<float> sums)
    {
        (int drawn, int run) = Next();
        sums[drawn] += value;
        if (run >= 0)
        {
            sums[run] += value;
        }
    }

    /// <summary>The next parameter's value times the factors of its buckets.</summary>
    /// <param name="value">Of the next parameter.</param>
    /// <param name="factors">One for each bucket.</param>
    public float Scaled(float value, ReadOnlySpan<float> factors)
    {
        (int drawn, int run) = Next();
        float scaled = value * factors[drawn];
        return run < 0 ? scaled : scaled * factors[run];
    }

    /// <summary>The buckets of the next parameter; <c>Run</c> is −1 where all are drawn.</summary>
    private (int Drawn, int Run) Next()
    {
        if (_lane == LaneGenerator.Lanes)
        {
            _bits = _random.NextBits();
            _lane = 0;
        }

        // A count instead of a division: this runs once for every parameter.
        if (_runs > 0 && _leftOfRun-- == 0)
        {
            _run++;
            _leftOfRun = _runLength - 1;
        }

        int drawn = _runs + (int)(((ulong)_bits[_lane++] * (uint)_drawn) >> 32);
        return (drawn, _run);
    }
}
