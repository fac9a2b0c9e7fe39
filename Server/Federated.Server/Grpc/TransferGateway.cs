using Federated.Server.Collection;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>Hands out objects by their hash, from any offset.</summary>
internal sealed class TransferGateway(HotObjects objects) : TransferService.TransferServiceBase
{
    /// <inheritdoc/>
    public override async Task Download(DownloadRequest request, IServerStreamWriter<DownloadChunk> responseStream, ServerCallContext context)
    {
        ContentHash hash = Demand.Hash(request.Sha256, "sha256");
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
