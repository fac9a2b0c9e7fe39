using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Client.Transport;

/// <summary>Downloads into memory: into the caller's buffer of exactly the expected length, or into an array of the announced length.</summary>
internal sealed class MemorySink : VerifiedSink
{
    private readonly long _limitBytes;
    private readonly bool _fixedLength;
    private Memory<byte> _bytes;
    private byte[] _array = [];

    /// <summary>Into a buffer of the caller; any other length is refused.</summary>
    public MemorySink(ContentHash content, string name, Memory<byte> destination)
        : base(content, name)
    {
        _bytes = destination;
        _fixedLength = true;
    }

    /// <summary>Into an array that the first chunk sizes, at most <paramref name="limitBytes"/>.</summary>
    public MemorySink(ContentHash content, string name, long limitBytes)
        : base(content, name) => _limitBytes = Math.Min(limitBytes, Array.MaxLength);

    /// <summary>The array that the object was received into; for a sink without a caller's buffer.</summary>
    public byte[] TakeArray() => _array;

    /// <inheritdoc/>
    protected override void Begin(long totalLength)
    {
        if (_fixedLength ? totalLength != _bytes.Length : totalLength > _limitBytes)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded,
                $"The {Name} has {totalLength} bytes; {(_fixedLength ? $"announced were {_bytes.Length}" : $"the limit is {_limitBytes}")}.");
        }

        if (!_fixedLength)
        {
            _array = new byte[totalLength];
            _bytes = _array;
        }
    }

    /// <inheritdoc/>
    protected override void Write(long offset, ReadOnlySpan<byte> bytes) => bytes.CopyTo(_bytes.Span[(int)offset..]);
}
