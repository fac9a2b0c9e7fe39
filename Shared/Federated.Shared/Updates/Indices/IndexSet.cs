namespace Federated.Shared.Updates.Indices;

/// <summary>Ascending, distinct indices of a vector of P parameters. Immutable.</summary>
public sealed class IndexSet
{
    private readonly int[] _indices;

    /// <summary>Takes ownership of <paramref name="indices"/>.</summary>
    /// <param name="parameterCount">P, at least 1.</param>
    /// <param name="indices">Ascending and distinct, each in [0, P).</param>
    /// <exception cref="ArgumentException">They are not.</exception>
    public IndexSet(int parameterCount, int[] indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parameterCount);
        int previous = -1;
        foreach (int index in indices)
        {
            if (index <= previous || index >= parameterCount)
            {
                throw new ArgumentException($"Index {index} after {previous}: indices ascend and are below {parameterCount}.", nameof(indices));
            }

            previous = index;
        }

        ParameterCount = parameterCount;
        _indices = indices;
    }

    /// <summary>P.</summary>
    public int ParameterCount { get; }

    /// <summary>k.</summary>
    public int Count => _indices.Length;

    /// <summary>The indices, ascending: [k].</summary>
    public ReadOnlySpan<int> Indices => _indices;

    /// <summary>The client's half: v = u[I].</summary>
    /// <param name="vector">u: [P].</param>
    /// <param name="values">v: [k].</param>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public void Gather(ReadOnlySpan<float> vector, Span<float> values)
    {
        DemandLengths(vector.Length, values.Length);
        int[] indices = _indices;
        for (int i = 0; i < indices.Length; i++)
        {
            values[i] = vector[indices[i]];
        }
    }

    /// <summary>The server's half: u[I] = v, and zero elsewhere.</summary>
    /// <param name="values">v: [k].</param>
    /// <param name="vector">u: [P].</param>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public void Scatter(ReadOnlySpan<float> values, Span<float> vector)
    {
        DemandLengths(vector.Length, values.Length);
        vector.Clear();
        int[] indices = _indices;
        for (int i = 0; i < indices.Length; i++)
        {
            vector[indices[i]] = values[i];
        }
    }

    private void DemandLengths(int vector, int values)
    {
        if (vector != ParameterCount || values != Count)
        {
            throw new ArgumentException($"The set takes vectors of {ParameterCount} and {Count} elements, not {vector} and {values}.", nameof(vector));
        }
    }
}
