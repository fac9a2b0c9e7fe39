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
    private readonly long _runLength;
    private Vector256<uint> _bits;
    private int _lane = LaneGenerator.Lanes;
    private long _place;

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
            _runLength = (parameterCount + _runs - 2) / (_runs - 1);
            _place = _random.NextBits()[0] % _runLength;
        }
    }

    /// <summary>The buckets of the next parameter; <c>Run</c> is −1 where all are drawn.</summary>
    public (int Drawn, int Run) Next()
    {
        if (_lane == LaneGenerator.Lanes)
        {
            _bits = _random.NextBits();
            _lane = 0;
        }

        int drawn = _runs + (int)(((ulong)_bits[_lane++] * (uint)_drawn) >> 32);
        return (drawn, _runs == 0 ? -1 : (int)(_place++ / _runLength));
    }
}
