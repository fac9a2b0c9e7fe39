using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Neighbours, share holders and threshold of a group. Both ends compute it from header and session; the server has no say in it. The order
/// of the neighbour graph is drawn by hashing the session, to which every member's fresh keys contribute. Immutable.
/// </summary>
public sealed class GroupTopology
{
    private readonly int _degree;

    // Position 0…g − 1 of member u at [u − 1], and the member at each position.
    private readonly int[] _positions;
    private readonly int[] _order;

    private GroupTopology(int size, int degree, int threshold, int[] order)
    {
        Size = size;
        Threshold = threshold;
        _degree = degree;
        _order = order;
        _positions = new int[size];
        for (int i = 0; i < size; i++)
        {
            _positions[order[i] - 1] = i;
        }
    }

    /// <summary>g.</summary>
    public int Size { get; }

    /// <summary>t: shares that give a secret back.</summary>
    public int Threshold { get; }

    /// <summary>Whether everyone masks with everyone.</summary>
    public bool IsComplete => _degree == Size - 1;

    /// <summary>The topology of a session.</summary>
    public static GroupTopology Of(GroupHeader header, int size, SessionId session)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(session);
        HararyParameters? sparse = header.Topology == GroupTopologyKind.NeighbourGraph && size >= 3
            ? HararyParameters.Find(size, header.AdversarialPermille / 1000.0, header.DropoutPermille / 1000.0)
            : null;
        return sparse is { } parameters
            ? new GroupTopology(size, parameters.Degree, parameters.Threshold, RandomOrder(session, size))
            : new GroupTopology(size, size - 1, CompleteThreshold(size), [.. Enumerable.Range(1, size)]);
    }

    /// <summary>
    /// ⌊2g/3⌋ + 1: with it no two sets of survivors can both find enough signatures while a third of the members misbehaves.
    /// </summary>
    public static int CompleteThreshold(int size) => (2 * size / 3) + 1;

    /// <summary>Those that u shares a mask with, ascending, without u.</summary>
    public int[] NeighboursOf(int u)
    {
        int[] neighbours = new int[_degree];
        if (IsComplete)
        {
            for (int i = 0; i < _degree; i++)
            {
                neighbours[i] = i + 1 < u ? i + 1 : i + 2;
            }

            return neighbours;
        }

        int position = _positions[u - 1];
        for (int distance = 1; distance <= _degree / 2; distance++)
        {
            neighbours[(2 * distance) - 2] = _order[(position + distance) % Size];
            neighbours[(2 * distance) - 1] = _order[(position - distance + Size) % Size];
        }

        Array.Sort(neighbours);
        return neighbours;
    }

    /// <summary>Those that hold a share of u's secrets, ascending: its neighbours and u itself.</summary>
    public int[] HoldersOf(int u)
    {
        int[] holders = [.. NeighboursOf(u), u];
        Array.Sort(holders);
        return holders;
    }

    // Members by the hash of session and number: a uniform order nobody can choose.
    private static int[] RandomOrder(SessionId session, int size)
    {
        byte[][] keys = new byte[size][];
        int[] order = [.. Enumerable.Range(1, size)];
        Span<byte> text = stackalloc byte[SessionId.LengthBytes + sizeof(int)];
        session.Bytes.CopyTo(text);
        for (int i = 0; i < size; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(text[SessionId.LengthBytes..], order[i]);
            keys[i] = SHA256.HashData(text);
        }

        Array.Sort(keys, order, Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        return order;
    }
}
