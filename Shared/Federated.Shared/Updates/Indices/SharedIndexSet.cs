namespace Federated.Shared.Updates.Indices;

/// <summary>
/// The index set that all clients of a round share, with what follows from how it was found: the factor by which the sum is scaled and
/// whether clients keep a residual. Immutable.
/// </summary>
public sealed class SharedIndexSet
{
    private readonly float[]? _scales;

    private SharedIndexSet(IndexSetKind kind, IndexSet indices, float scale, float[]? scales)
    {
        Kind = kind;
        Indices = indices;
        Scale = scale;
        _scales = scales;
    }

    /// <summary>How it was found.</summary>
    public IndexSetKind Kind { get; }

    /// <summary>I.</summary>
    public IndexSet Indices { get; }

    /// <summary>The factor of all coordinates, when they share one; 1 when each has its own.</summary>
    public float Scale { get; }

    /// <summary>
    /// Whether clients keep what the set left out. Only where nothing is scaled: scaling makes up for what is left out, and a residual on
    /// top of it would count it twice.
    /// </summary>
    public bool KeepsResidual => Kind == IndexSetKind.Voted;

    /// <summary>k of P indices, uniform among all subsets of this size; the sum is scaled by P/k.</summary>
    /// <param name="seed">The round's seed.</param>
    /// <param name="parameterCount">P.</param>
    /// <param name="count">k, 1 to P.</param>
    public static SharedIndexSet Random(ulong seed, int parameterCount, int count) =>
        new(IndexSetKind.Random, RandomIndices.Draw(seed, parameterCount, count), (float)((double)parameterCount / count), null);

    /// <summary>
    /// The <paramref name="largest"/> largest magnitudes of <paramref name="momentum"/>, which are taken for certain and not scaled, and
    /// <paramref name="random"/> of the others, uniform, scaled by (P − largest)/random. Where fewer are certain, more are random.
    /// </summary>
    /// <param name="seed">The round's seed.</param>
    /// <param name="momentum">The server's momentum: [P], finite.</param>
    /// <param name="largest">k₁, fewer when the momentum has fewer entries that are not zero.</param>
    /// <param name="random">k₂, at least 1: without it what the momentum lacks would never come in.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is not positive, or both exceed P.</exception>
    public static SharedIndexSet Momentum(ulong seed, ReadOnlySpan<float> momentum, int largest, int random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(largest);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(random);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)largest + random, momentum.Length, nameof(random));
        int[] certain = new int[largest];
        int certainCount = TopKSelection.Select(momentum, largest, certain);
        return Complete(IndexSetKind.Momentum, momentum.Length, certain.AsSpan(0, certainCount), seed, largest + random - certainCount, scaled: true);
    }

    /// <summary>The <paramref name="count"/> largest scores; while fewer are above zero, random others make up the number.</summary>
    /// <param name="seed">The round's seed.</param>
    /// <param name="scores">Summed squared residuals: [P], finite, not negative.</param>
    /// <param name="count">k, 1 to P.</param>
    public static SharedIndexSet Voted(ulong seed, ReadOnlySpan<float> scores, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, scores.Length);
        int[] indices = new int[count];
        int found = TopKSelection.Select(scores, count, indices);
        return Complete(IndexSetKind.Voted, scores.Length, indices.AsSpan(0, found), seed, count - found, scaled: false);
    }

    /// <summary>
    /// A set as the server told it. For <see cref="IndexSetKind.Momentum"/> the scaled part is not known to clients and not needed by them:
    /// theirs is the encoding half alone.
    /// </summary>
    public static SharedIndexSet Told(IndexSetKind kind, IndexSet indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        return kind == IndexSetKind.Random
            ? throw new ArgumentException("A random set is drawn from the seed, not told.", nameof(kind))
            : new SharedIndexSet(kind, indices, 1f, null);
    }

    /// <summary>The factor of coordinate i of the set.</summary>
    public float ScaleOf(int i) => _scales is null ? Scale : _scales[i];

    private static SharedIndexSet Complete(IndexSetKind kind, int parameterCount, ReadOnlySpan<int> certain, ulong seed, int random, bool scaled)
    {
        if (random == 0)
        {
            return new SharedIndexSet(kind, new IndexSet(parameterCount, certain.ToArray()), 1f, null);
        }

        // Ranks among the indices that are not certain, so that the draw is uniform over them.
        ReadOnlySpan<int> ranks = RandomIndices.Draw(seed, parameterCount - certain.Length, random).Indices;
        int[] merged = new int[certain.Length + random];
        float[] scales = new float[merged.Length];
        float inverse = (float)((double)(parameterCount - certain.Length) / random);
        int taken = 0;
        int drawn = 0;
        for (int i = 0; i < merged.Length; i++)
        {
            // The index of a rank is the rank plus the certain indices below it.
            bool isCertain = taken < certain.Length && (drawn == ranks.Length || certain[taken] <= ranks[drawn] + taken);
            merged[i] = isCertain ? certain[taken++] : ranks[drawn++] + taken;
            scales[i] = isCertain ? 1f : inverse;
        }

        return new SharedIndexSet(kind, new IndexSet(parameterCount, merged), 1f, scaled ? scales : null);
    }
}
