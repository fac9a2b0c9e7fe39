using System.Buffers;

namespace Federated.Training.Data;

/// <summary>A view of some examples of another source, in the order given; an example may occur more than once. Thread-safe.</summary>
public sealed class ExampleSubset : IExampleSource
{
    private const int StackLength = 256;

    private readonly IExampleSource _source;
    private readonly int[] _indices;

    /// <summary>Views <paramref name="source"/> through <paramref name="indices"/>.</summary>
    /// <param name="source">Where the examples are.</param>
    /// <param name="indices">[Count], each in [0, source.Count). Kept, not copied: leave it unchanged.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside the source.</exception>
    public ExampleSubset(IExampleSource source, int[] indices)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(indices);
        int count = source.Count;
        for (int i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= count)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(indices), indices[i], $"Index {i} of the subset points outside the source's {count} examples (0 to {count - 1}).");
            }
        }

        _source = source;
        _indices = indices;
    }

    /// <inheritdoc/>
    public int Count => _indices.Length;

    /// <inheritdoc/>
    public ExampleFormat Format => _source.Format;

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        int[]? rented = indices.Length > StackLength ? ArrayPool<int>.Shared.Rent(indices.Length) : null;
        try
        {
            Span<int> mapped = rented is null ? stackalloc int[StackLength] : rented;
            mapped = mapped[..indices.Length];
            for (int i = 0; i < indices.Length; i++)
            {
                mapped[i] = _indices[indices[i]];
            }

            _source.CopyTo(mapped, batch);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<int>.Shared.Return(rented);
            }
        }
    }
}
