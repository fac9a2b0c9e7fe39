using System.Buffers;
using System.Text;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Client.Transport;

/// <summary>
/// One download whose messages are decoded straight into the sink (see <see cref="ProtobufFields"/>): measured, that saves a quarter
/// of the time. Fields and numbers are those of DownloadChunk.
/// </summary>
internal sealed class DownloadCall
{
    private static readonly Marshaller<DownloadRequest> _requests = Marshallers.Create(
        (DownloadRequest request, SerializationContext context) =>
        {
            context.SetPayloadLength(request.CalculateSize());
            request.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        context => DownloadRequest.Parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private readonly IDownloadSink _sink;
    private readonly ByteCounter _counter;

    public DownloadCall(IDownloadSink sink, ByteCounter counter)
    {
        _sink = sink;
        _counter = counter;
        Method = new Method<DownloadRequest, DownloadCall>(
            MethodType.ServerStreaming,
            TransferService.Descriptor.FullName,
            TransferService.Descriptor.Methods[0].Name,
            _requests,
            Marshallers.Create<DownloadCall>(
                (_, _) => throw new NotSupportedException("A client receives chunks."),
                context => Decode(context.PayloadAsReadOnlySequence())));
    }

    /// <summary>The method, with this call's sink behind its decoder.</summary>
    public Method<DownloadRequest, DownloadCall> Method { get; }

    /// <summary>Bytes of the last message.</summary>
    public int MessageBytes { get; private set; }

    /// <summary>Length of the whole object, as the last message said; 0 before.</summary>
    public long TotalLength { get; private set; }

    /// <summary>Where the object can be read instead; null when the server sends it.</summary>
    public string? Address { get; private set; }

    /// <summary>What the sink or the decoder threw; the rest of the stream is worthless then. Kept, because gRPC would flatten it to a status.</summary>
    public Exception? Failure { get; private set; }

    private DownloadCall Decode(ReadOnlySequence<byte> message)
    {
        MessageBytes = (int)message.Length;
        _counter.Received(MessageBytes);
        if (Failure is not null)
        {
            return this;
        }

        try
        {
            // gRPC hands over one contiguous buffer; a copy is only the fallback of a contract that allows others.
            DecodeChunk(message.IsSingleSegment ? message.FirstSpan : message.ToArray());
        }
        catch (Exception e)
        {
            Failure = e;
        }

        return this;
    }

    private void DecodeChunk(ReadOnlySpan<byte> message)
    {
        ulong offset = 0;
        ulong totalLength = 0;
        ReadOnlySpan<byte> data = default;
        ReadOnlySpan<byte> address = default;
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            if (fields.Is(DownloadChunk.OffsetFieldNumber, WireFormat.WireType.Varint))
            {
                offset = fields.Varint();
            }
            else if (fields.Is(DownloadChunk.TotalLengthFieldNumber, WireFormat.WireType.Varint))
            {
                totalLength = fields.Varint();
            }
            else if (fields.Is(DownloadChunk.DataFieldNumber, WireFormat.WireType.LengthDelimited))
            {
                data = fields.Bytes();
            }
            else if (fields.Is(DownloadChunk.AddressFieldNumber, WireFormat.WireType.LengthDelimited))
            {
                address = fields.Bytes();
            }
            else
            {
                fields.Skip();
            }
        }

        if (offset > ProtocolLimits.MaxDownloadBytes || totalLength > ProtocolLimits.MaxDownloadBytes)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded,
                $"A chunk at offset {offset} of {totalLength} bytes arrived; an object has at most {ProtocolLimits.MaxDownloadBytes} bytes.");
        }

        if (address.Length > ProtocolLimits.MaxAddressBytes)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded, $"An object's address has {address.Length} bytes, the limit is {ProtocolLimits.MaxAddressBytes}.");
        }

        _sink.Accept((long)offset, (long)totalLength, data);
        TotalLength = (long)totalLength;
        Address = address.IsEmpty ? Address : Encoding.UTF8.GetString(address);
    }
}
