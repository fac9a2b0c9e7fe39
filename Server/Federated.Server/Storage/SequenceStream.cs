using System.Buffers;

namespace Federated.Server.Storage;

/// <summary>A seekable read-only stream over the segments of a sequence, so that an upload, and its repetition, needs no copy.</summary>
internal sealed class SequenceStream(ReadOnlySequence<byte> content) : Stream
{
    private long _position;
    private SequencePosition _next = content.Start;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => content.Length;

    public override long Position
    {
        get => _position;
        set
        {
            _next = content.GetPosition(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        ReadOnlySequence<byte> rest = content.Slice(_next);
        ReadOnlySequence<byte> taken = rest.Slice(0, Math.Min(buffer.Length, rest.Length));
        taken.CopyTo(buffer);
        _next = taken.End;
        _position += taken.Length;
        return (int)taken.Length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
