using System.Numerics.Tensors;
using Federated.Shared.Randomness;

namespace Federated.Shared.Updates.Indices;

/// <summary>
/// What a <see cref="IndexSetKind.Voted"/> set is elected from. The client's half: sums of squared residuals over buckets of parameters, which travel in a
/// sum like any other. The server's half: an estimate of every parameter's square, up to a common factor, which each round's sums correct: the estimates in
/// a bucket are multiplied by what the bucket has over what they add up to, as in iterative proportional fitting (Deming and Stephan, "On a least squares
/// adjustment of a sampled frequency table", Annals of Mathematical Statistics 11(4), 1940, section 5). Deviations: one step a round, with other buckets each
/// time; ratios are limited and damped, as sums are rounded and residuals change. One caller at a time.
/// </summary>
public sealed class ResidualVotes
{
    /// <summary>Furthest that a round takes a bucket's estimates up or down, before damping.</summary>
    private const float MostRatio = 10;

    /// <summary>Least estimate, of the mean: a parameter that was small once is heard again.</summary>
    private const float Floor = 0.1f;

    /// <summary>Squares that are taken at a time.</summary>
    private const int ChunkLength = 128 * LaneGenerator.Lanes;

    private readonly float[] _scores;

    /// <summary>Knows nothing yet.</summary>
    /// <param name="parameterCount">P.</param>
    public ResidualVotes(int parameterCount)
        : this(new float[Positive(parameterCount)])
    {
    }

    /// <summary>Goes on with scores that were kept.</summary>
    /// <param name="scores">[P]; changed in place by <see cref="Count"/>. Zeros when nothing is known.</param>
    public ResidualVotes(float[] scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        _scores = scores;
    }

    /// <summary>The estimates, of mean 1 after the first count: [P].</summary>
    public ReadOnlySpan<float> Scores => _scores;

    /// <summary>The client's half: the sum of each bucket's squared residuals.</summary>
    /// <param name="seed">The round's, from which the buckets follow.</param>
    /// <param name="residual">[P].</param>
    /// <param name="votes">One for each bucket.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no bucket.</exception>
    public static void Cast(ulong seed, ReadOnlySpan<float> residual, Span<float> votes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(votes.Length, nameof(votes));
        votes.Clear();
        VoteBuckets buckets = new(seed, residual.Length, votes.Length);
        Span<float> squares = stackalloc float[ChunkLength];
        for (int i = 0; i < residual.Length; i += ChunkLength)
        {
            ReadOnlySpan<float> chunk = residual.Slice(i, Math.Min(ChunkLength, residual.Length - i));
            TensorPrimitives.Multiply(chunk, chunk, squares);
            buckets.Add(squares[..chunk.Length], votes);
        }
    }

    /// <summary>The server's half: corrects the estimates by a round's summed votes. Negative sums, which quantization can produce, count as zero.</summary>
    /// <param name="seed">The round's.</param>
    /// <param name="votes">Sums over the devices, finite, up to a factor. When none is above zero, nothing changes.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no bucket.</exception>
    public void Count(ulong seed, ReadOnlySpan<float> votes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(votes.Length, nameof(votes));
        float[] ratios = new float[votes.Length];
        TensorPrimitives.Max(votes, 0f, ratios);
        float voted = TensorPrimitives.Sum<float>(ratios);
        if (!(voted > 0))
        {
            return;
        }

        if (!_scores.AsSpan().ContainsAnyExcept(0f))
        {
            _scores.AsSpan().Fill(1f);
        }

        float[] expected = new float[votes.Length];
        VoteBuckets buckets = new(seed, _scores.Length, votes.Length);
        buckets.Add(_scores, expected);
        float factor = TensorPrimitives.Sum<float>(expected) / voted;
        for (int bucket = 0; bucket < ratios.Length; bucket++)
        {
            float ratio = expected[bucket] > 0 ? ratios[bucket] * factor / expected[bucket] : 1f;
            ratios[bucket] = MathF.Sqrt(Math.Clamp(ratio, 1 / MostRatio, MostRatio));
        }

        Correct(seed, ratios);
    }

    /// <summary>The set of the k largest scores, made up with random ones of a seed.</summary>
    public SharedIndexSet Elect(ulong seed, int count) => SharedIndexSet.Voted(seed, _scores, count);

    private void Correct(ulong seed, ReadOnlySpan<float> ratios)
    {
        VoteBuckets buckets = new(seed, _scores.Length, ratios.Length);
        buckets.Scale(_scores, ratios);
        TensorPrimitives.Max(_scores, Floor, _scores);
        TensorPrimitives.Multiply(_scores, _scores.Length / TensorPrimitives.Sum<float>(_scores), _scores);
    }

    private static int Positive(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return count;
    }
}
