using System.Numerics.Tensors;

namespace Federated.Shared.Updates.Indices;

/// <summary>
/// What a <see cref="IndexSetKind.Voted"/> set is elected from. The client's half: the squared residuals of the coordinates asked for,
/// which travel in a sum like any other. The server's half: scores of all parameters, in which a parameter's newest vote stands and earlier
/// rounds' fade. One caller at a time.
/// </summary>
public sealed class ResidualVotes
{
    private readonly float[] _scores;
    private readonly float _memory;

    /// <summary>Scores of zero.</summary>
    /// <param name="parameterCount">P.</param>
    /// <param name="memory">What is left of a score after a round, in [0, 1].</param>
    public ResidualVotes(int parameterCount, float memory)
        : this(new float[Positive(parameterCount)], memory)
    {
    }

    /// <summary>Goes on with scores that were kept.</summary>
    /// <param name="scores">[P]; changed in place by <see cref="Count"/>.</param>
    /// <param name="memory">What is left of a score after a round, in [0, 1].</param>
    public ResidualVotes(float[] scores, float memory)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentOutOfRangeException.ThrowIfNegative(memory);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(memory, 1);
        _scores = scores;
        _memory = memory;
    }

    /// <summary>The scores: [P].</summary>
    public ReadOnlySpan<float> Scores => _scores;

    /// <summary>The client's half: squares of the residual at the indices asked for.</summary>
    /// <param name="residual">[P].</param>
    /// <param name="asked">The coordinates of this round's vote.</param>
    /// <param name="votes">[k].</param>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public static void Cast(ReadOnlySpan<float> residual, IndexSet asked, Span<float> votes)
    {
        ArgumentNullException.ThrowIfNull(asked);
        asked.Gather(residual, votes);
        TensorPrimitives.Multiply(votes, votes, votes);
    }

    /// <summary>The server's half: counts a round's summed votes. Negative sums, which quantization can produce, count as zero.</summary>
    /// <param name="asked">The coordinates of this round's vote.</param>
    /// <param name="votes">Their sums: [k], finite.</param>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public void Count(IndexSet asked, ReadOnlySpan<float> votes)
    {
        ArgumentNullException.ThrowIfNull(asked);
        if (asked.ParameterCount != _scores.Length || votes.Length != asked.Count)
        {
            throw new ArgumentException(
                $"{votes.Length} votes on {asked.Count} of {asked.ParameterCount} parameters; there are scores of {_scores.Length}.", nameof(votes));
        }

        TensorPrimitives.Multiply(_scores, _memory, _scores);
        ReadOnlySpan<int> indices = asked.Indices;
        for (int i = 0; i < indices.Length; i++)
        {
            _scores[indices[i]] = MathF.Max(0, votes[i]);
        }
    }

    /// <summary>The set of the k largest scores, made up with random ones of a seed.</summary>
    public SharedIndexSet Elect(ulong seed, int count) => SharedIndexSet.Voted(seed, _scores, count);

    private static int Positive(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return count;
    }
}
