using System.Collections;
using System.Numerics;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// A set of members of a group, by number 1…g, as ⌈g / 8⌉ bytes: bit (u − 1) mod 8 of byte (u − 1) / 8 is member u. One set has one
/// encoding, so a list can hold neither a duplicate nor a stranger, and can be signed. Immutable.
/// </summary>
public sealed class MemberSet : IEnumerable<int>, IEquatable<MemberSet>
{
    private readonly byte[] _bits;

    private MemberSet(byte[] bits, int groupSize)
    {
        _bits = bits;
        GroupSize = groupSize;
        Count = bits.Sum(part => BitOperations.PopCount(part));
    }

    /// <summary>g.</summary>
    public int GroupSize { get; }

    /// <summary>Members in the set.</summary>
    public int Count { get; }

    /// <summary>The encoding.</summary>
    public ReadOnlySpan<byte> Bytes => _bits;

    /// <summary>A set of member numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is not 1 to g.</exception>
    public static MemberSet Of(IEnumerable<int> members, int groupSize)
    {
        ArgumentNullException.ThrowIfNull(members);
        byte[] bits = new byte[(groupSize + 7) / 8];
        foreach (int member in members)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(member, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(member, groupSize);
            bits[(member - 1) / 8] |= (byte)(1 << ((member - 1) % 8));
        }

        return new MemberSet(bits, groupSize);
    }

    /// <summary>Reads an encoding; null when its length is wrong or it names a member beyond g.</summary>
    public static MemberSet? FromBytes(ReadOnlySpan<byte> bytes, int groupSize)
    {
        int spare = (8 * bytes.Length) - groupSize;
        return spare is < 0 or > 7 || (spare > 0 && bytes[^1] >> (8 - spare) != 0) ? null : new MemberSet(bytes.ToArray(), groupSize);
    }

    /// <summary>Whether a member is in the set.</summary>
    public bool Contains(int member) => member >= 1 && member <= GroupSize && (_bits[(member - 1) / 8] & (1 << ((member - 1) % 8))) != 0;

    /// <summary>Whether every member here is in <paramref name="other"/>.</summary>
    public bool IsSubsetOf(MemberSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.GroupSize == GroupSize && _bits.Zip(other._bits).All(pair => (pair.First & ~pair.Second) == 0);
    }

    /// <summary>Those here that are not in <paramref name="other"/>.</summary>
    public MemberSet Except(MemberSet other) => Of(this.Where(member => !other.Contains(member)), GroupSize);

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator()
    {
        for (int member = 1; member <= GroupSize; member++)
        {
            if (Contains(member))
            {
                yield return member;
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Whether both hold the same members of groups of one size.</summary>
    public bool Equals(MemberSet? other) => other is not null && other.GroupSize == GroupSize && other._bits.AsSpan().SequenceEqual(_bits);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MemberSet);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(GroupSize, Count);
}
