using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>
/// Binds the update service by hand, because its chunks are decoded into pooled buffers and not into generated messages; on the wire
/// nothing differs.
/// </summary>
internal sealed class UpdateMethods : IServiceMethodProvider<UpdateGateway>
{
    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<UpdateGateway> context)
    {
        string service = UpdateService.Descriptor.FullName;
        context.AddUnaryMethod(
            new Method<UploadStatusRequest, UploadStatusReply>(
                MethodType.Unary, service, nameof(UpdateGateway.UploadStatus), Generated(UploadStatusRequest.Parser), Generated(UploadStatusReply.Parser)),
            [],
            (gateway, request, call) => gateway.UploadStatus(request, call));
        context.AddClientStreamingMethod(
            new Method<UploadChunk, SubmitReply>(
                MethodType.ClientStreaming, service, nameof(UpdateGateway.Submit), Chunks(), Generated(SubmitReply.Parser)),
            [],
            (gateway, chunks, call) => gateway.Submit(chunks, call));
    }

    private static Marshaller<UploadChunk> Chunks() => Marshallers.Create<UploadChunk>(
        (_, _) => throw new NotSupportedException("A server sends no upload chunks."),
        context => UploadChunk.Parse(context.PayloadAsReadOnlySequence()));

    private static Marshaller<T> Generated<T>(MessageParser<T> parser)
        where T : class, IMessage<T> => Marshallers.Create<T>(
        (message, context) =>
        {
            context.SetPayloadLength(message.CalculateSize());
            message.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));
}
