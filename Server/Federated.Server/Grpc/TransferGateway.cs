using Federated.Server.Collection;
using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>Hands out objects by their hash, from any offset, or their addresses in the store.</summary>
internal sealed class TransferGateway(HotObjects objects, ObjectAddresses addresses) : TransferService.TransferServiceBase
{
    /// <inheritdoc/>
    public override async Task Download(DownloadRequest request, IServerStreamWriter<DownloadChunk> responseStream, ServerCallContext context)
    {
        ContentHash hash = Demand.Hash(request.Sha256, "sha256");
        if (request.Direct && await addresses.FindAsync(hash, request.Offset, context.CancellationToken) is { } place)
        {
            DownloadChunk answer = new() { Offset = request.Offset, TotalLength = (ulong)place.LengthBytes, Address = place.Address.AbsoluteUri };
            await responseStream.WriteAsync(answer, context.CancellationToken);
            return;
        }

        ReadOnlyMemory<byte> content = await objects.FindAsync(hash, context.CancellationToken)
            ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"There is no object {hash}; check in again for a current plan.");
        if (request.Offset > (ulong)content.Length)
        {
            throw new ProtocolViolationException(
                ErrorCode.WrongOffset, $"Offset {request.Offset} lies beyond the end of object {hash}, which has {content.Length} bytes. Start at 0.");
        }

        int offset = (int)request.Offset;
        do
        {
            int length = Math.Min(ProtocolLimits.ChunkBytes, content.Length - offset);
            DownloadChunk chunk = new()
            {
                Offset = (ulong)offset,
                TotalLength = (ulong)content.Length,
                Data = UnsafeByteOperations.UnsafeWrap(content.Slice(offset, length)),
            };
            await responseStream.WriteAsync(chunk, context.CancellationToken);
            offset += length;
        }
        while (offset < content.Length);
    }
}
