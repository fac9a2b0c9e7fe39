using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Random numbers for noise that must not be guessed: the stream of AES-256 in counter mode under a key of its own. Not thread-safe.
/// </summary>
public sealed class KeyedGenerator : IDisposable
{
    private const int BufferBytes = 4096;

    private readonly CounterKeystream _stream;
    private readonly CounterBlocks _counters = new(BufferBytes / CounterBlocks.BlockBytes);
    private readonly byte[] _buffer = new byte[BufferBytes];
    private UInt128 _next;
    private int _used = BufferBytes;
    private double _spare = double.NaN;

    /// <summary>The generator of a key of 32 bytes; the same key gives the same numbers.</summary>
    public KeyedGenerator(ReadOnlySpan<byte> key) => _stream = new CounterKeystream(key);

    /// <summary>A generator under a key from the operating system.</summary>
    public static KeyedGenerator Create()
    {
        byte[] key = RandomNumberGenerator.GetBytes(KeySchedule.KeyBytes);
        KeyedGenerator generator = new(key);
        CryptographicOperations.ZeroMemory(key);
        return generator;
    }

    /// <summary>64 uniform bits.</summary>
    public ulong NextUInt64()
    {
        if (_used == BufferBytes)
        {
            int blocks = BufferBytes / CounterBlocks.BlockBytes;
            _counters.Set(_next, blocks);
            _next = unchecked(_next + (uint)blocks);
            _stream.Generate(_counters, _buffer);
            _used = 0;
        }

        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(_buffer.AsSpan(_used));
        _used += sizeof(ulong);
        return value;
    }

    /// <summary>Uniform in (0, 1), 53 bits, never an end.</summary>
    public double NextDouble() => ((NextUInt64() >> 11) + 0.5) * (1.0 / (1UL << 53));

    /// <summary>Standard normal (Box and Muller 1958).</summary>
    public double NextGaussian()
    {
        if (!double.IsNaN(_spare))
        {
            double spare = _spare;
            _spare = double.NaN;
            return spare;
        }

        double radius = Math.Sqrt(-2 * Math.Log(NextDouble()));
        (double sine, double cosine) = Math.SinCos(2 * Math.PI * NextDouble());
        _spare = radius * sine;
        return radius * cosine;
    }

    /// <summary>Releases the key and clears what is buffered.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        CryptographicOperations.ZeroMemory(_buffer);
    }
}
