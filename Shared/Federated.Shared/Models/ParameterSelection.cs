using System.Collections.Immutable;

namespace Federated.Shared.Models;

/// <summary>
/// Some of the flat adapter's elements, packed without gaps in the adapter's order: what a client of one rank sends, or keeps. Of a target
/// of rank R a client of rank r ≤ R has the leading r rows of A and the leading r columns of B. Immutable.
/// </summary>
public sealed class ParameterSelection
{
    private readonly ImmutableArray<Block> _blocks;
    private readonly int _adapterLength;

    private ParameterSelection(ImmutableArray<Block> blocks, int adapterLength)
    {
        _blocks = blocks;
        _adapterLength = adapterLength;
        Length = blocks.Sum(block => block.Rows * block.Columns);
    }

    /// <summary>Elements selected.</summary>
    public int Length { get; }

    /// <summary>Whether it is the whole adapter, so that nothing need be copied.</summary>
    public bool IsEverything => Length == _adapterLength;

    /// <summary>Selects the tensors of one role for a client of one rank.</summary>
    /// <param name="layout">The adapter.</param>
    /// <param name="roles">One for each tensor.</param>
    /// <param name="role">Which are selected.</param>
    /// <param name="rank">The client's rank; 0 for each target's own.</param>
    /// <exception cref="ArgumentException">There is not one role a tensor, or the rank is negative.</exception>
    public static ParameterSelection Of(LoraLayout layout, ImmutableArray<ParameterRole> roles, ParameterRole role, int rank = 0)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ImmutableArray<ParameterSpec> parameters = layout.Parameters.Parameters;
        if (roles.Length != parameters.Length)
        {
            throw new ArgumentException($"{roles.Length} roles for {parameters.Length} tensors.", nameof(roles));
        }

        ImmutableArray<Block>.Builder blocks = ImmutableArray.CreateBuilder<Block>();
        for (int i = 0; i < parameters.Length; i++)
        {
            if (roles[i] == role)
            {
                blocks.Add(BlockOf(parameters[i], layout.Factors[i], rank));
            }
        }

        return new ParameterSelection(blocks.ToImmutable(), layout.Parameters.Length);
    }

    /// <summary>Copies the selected elements out.</summary>
    /// <param name="adapter">[P].</param>
    /// <param name="packed">[<see cref="Length"/>]; may be the front of <paramref name="adapter"/>: no element moves backwards past one not yet read.</param>
    public void Gather(ReadOnlySpan<float> adapter, Span<float> packed)
    {
        Check(adapter.Length, packed.Length);
        int next = 0;
        foreach (Block block in _blocks)
        {
            for (int row = 0; row < block.Rows; row++)
            {
                adapter.Slice(block.Offset + (row * block.Stride), block.Columns).CopyTo(packed[next..]);
                next += block.Columns;
            }
        }
    }

    /// <summary>Writes the selected elements; the others stay.</summary>
    /// <param name="packed">[<see cref="Length"/>].</param>
    /// <param name="adapter">[P].</param>
    public void Scatter(ReadOnlySpan<float> packed, Span<float> adapter)
    {
        Check(adapter.Length, packed.Length);
        int next = 0;
        foreach (Block block in _blocks)
        {
            for (int row = 0; row < block.Rows; row++)
            {
                packed.Slice(next, block.Columns).CopyTo(adapter[(block.Offset + (row * block.Stride))..]);
                next += block.Columns;
            }
        }
    }

    private static Block BlockOf(ParameterSpec spec, LoraMatrix? factor, int rank)
    {
        int whole = factor == LoraMatrix.A ? spec.Shape[0] : factor == LoraMatrix.B ? spec.Shape[1] : 0;
        if (rank == 0 || rank >= whole)
        {
            return new Block(spec.Offset, 1, spec.Length, spec.Length);
        }

        return factor == LoraMatrix.A
            ? new Block(spec.Offset, 1, spec.Length / whole * rank, spec.Length)
            : new Block(spec.Offset, spec.Shape[0], rank, whole);
    }

    private void Check(int adapter, int packed)
    {
        if (adapter != _adapterLength || packed != Length)
        {
            throw new ArgumentException($"An adapter of {adapter} and a selection of {packed} elements; they have {_adapterLength} and {Length}.", nameof(adapter));
        }
    }

    /// <summary>Rows of columns neighbouring elements, a stride apart.</summary>
    private readonly record struct Block(int Offset, int Rows, int Columns, int Stride);
}
