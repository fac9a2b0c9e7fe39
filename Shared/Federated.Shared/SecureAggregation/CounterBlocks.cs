using System.Buffers.Binary;

namespace Federated.Shared.SecureAggregation;

/// <summary>Consecutive 128-bit big-endian counters: the input of counter mode, the same for every key. Not thread-safe.</summary>
internal sealed class CounterBlocks
{
    /// <summary>Length of a counter, and of a block of AES.</summary>
    public const int BlockBytes = 16;

    /// <summary>Room for <paramref name="capacityBlocks"/> counters.</summary>
    public CounterBlocks(int capacityBlocks) => Buffer = new byte[capacityBlocks * BlockBytes];

    /// <summary>The counters; only the first <see cref="LengthBytes"/> are set.</summary>
    public byte[] Buffer { get; }

    /// <summary>Length of what is set.</summary>
    public int LengthBytes { get; private set; }

    /// <summary>Sets counters first, first + 1, …, modulo 2¹²⁸.</summary>
    public void Set(UInt128 first, int blocks)
    {
        LengthBytes = blocks * BlockBytes;
        Span<byte> target = Buffer.AsSpan(0, LengthBytes);
        unchecked
        {
            // Addition wraps as the counter of SP 800-38A, appendix B.1, does.
            for (int i = 0; i < blocks; i++)
            {
                BinaryPrimitives.WriteUInt128BigEndian(target[(i * BlockBytes)..], first + (uint)i);
            }
        }
    }
}
