using System.Buffers;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Server.Grpc;

/// <summary>A <see cref="SubmitChunk"/> in a pooled buffer. Dispose it when its data has been taken.</summary>
internal sealed class UploadChunk : IDisposable
{
    private readonly int _dataStart;
    private readonly int _dataLength;
    private byte[]? _buffer;

    private UploadChunk(byte[] buffer, int encodedBytes)
    {
        _buffer = buffer;
        EncodedBytes = encodedBytes;
        ReadOnlySpan<byte> message = buffer.AsSpan(0, encodedBytes);
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            if (fields.Is(SubmitChunk.HeaderFieldNumber, WireFormat.WireType.LengthDelimited))
            {
                Header = SubmitHeader.Parser.ParseFrom(fields.Bytes());
            }
            else if (fields.Is(SubmitChunk.OffsetFieldNumber, WireFormat.WireType.Varint))
            {
                Offset = fields.Varint();
            }
            else if (fields.Is(SubmitChunk.DataFieldNumber, WireFormat.WireType.LengthDelimited))
            {
                ReadOnlySpan<byte> data = fields.Bytes();
                message.Overlaps(data, out _dataStart);
                _dataLength = data.Length;
            }
            else
            {
                fields.Skip();
            }
        }
    }

    /// <summary>The header; only the first chunk of a submission has one.</summary>
    public SubmitHeader? Header { get; }

    /// <summary>Position of the data in the payload.</summary>
    public ulong Offset { get; }

    /// <summary>Length of the encoded message.</summary>
    public int EncodedBytes { get; }

    /// <summary>The data; gone after disposal.</summary>
    public ReadOnlySpan<byte> Data => _buffer.AsSpan(_dataStart, _dataLength);

    /// <summary>Decodes a message.</summary>
    /// <exception cref="ProtocolViolationException">It is none.</exception>
    public static UploadChunk Parse(ReadOnlySequence<byte> message)
    {
        int length = checked((int)message.Length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        message.CopyTo(buffer);
        try
        {
            return new UploadChunk(buffer, length);
        }
        catch (Exception e)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw e is InvalidProtocolBufferException
                ? new ProtocolViolationException(ErrorCode.MalformedDocument, "The header of a submission cannot be read. Compare the sender with docs/PROTOCOL.md.", e)
                : e;
        }
    }

    /// <summary>Returns the buffer. Idempotent.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
