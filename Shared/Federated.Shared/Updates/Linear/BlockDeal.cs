namespace Federated.Shared.Updates.Linear;

/// <summary>
/// Deals coordinates out over the rotation blocks like cards, one after the other: neighbours, which mostly belong to one tensor and are of
/// one magnitude, come into different blocks, and every block has nearly its share of the energy. Without it one block could hold all of
/// it, and fields would have to be wide enough for that. Pure.
/// </summary>
public static class BlockDeal
{
    /// <summary>The client's half: coordinate i goes to place i / m of block i mod m, of m blocks; places without a coordinate become 0.</summary>
    /// <param name="values">[k].</param>
    /// <param name="block">B.</param>
    /// <param name="dealt">[k′], whole blocks, at least k.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Deal(ReadOnlySpan<float> values, int block, Span<float> dealt)
    {
        int blocks = Blocks(values.Length, block, dealt.Length);
        for (int first = 0; first < blocks; first++)
        {
            Span<float> target = dealt.Slice(first * block, block);
            int place = 0;
            for (int i = first; i < values.Length; i += blocks)
            {
                target[place++] = values[i];
            }

            target[place..].Clear();
        }
    }

    /// <summary>The server's half: takes the coordinates back.</summary>
    /// <param name="dealt">[k′].</param>
    /// <param name="block">B.</param>
    /// <param name="values">[k].</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Collect(ReadOnlySpan<float> dealt, int block, Span<float> values)
    {
        int blocks = Blocks(values.Length, block, dealt.Length);
        for (int first = 0; first < blocks; first++)
        {
            ReadOnlySpan<float> source = dealt.Slice(first * block, block);
            int place = 0;
            for (int i = first; i < values.Length; i += blocks)
            {
                values[i] = source[place++];
            }
        }
    }

    private static int Blocks(int count, int block, int padded)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(block);
        return padded % block == 0 && count <= padded
            ? padded / block
            : throw new ArgumentException($"{count} coordinates cannot be dealt over {padded} places in blocks of {block}.", nameof(count));
    }
}
