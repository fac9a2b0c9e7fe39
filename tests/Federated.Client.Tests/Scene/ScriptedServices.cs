using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Client.Tests.Scene;

internal sealed class ScriptedDeviceService(ServerScript script) : DeviceService.DeviceServiceBase
{
    public override Task<CheckInReply> CheckIn(CheckInRequest request, ServerCallContext context)
    {
        script.CheckIns.Enqueue(request);
        CheckInReply reply = script.CheckIn(request);
        script.CountDown(reply.CalculateSize());
        return Task.FromResult(reply);
    }

    public override Task<AbortReply> ReportAbort(AbortReport request, ServerCallContext context)
    {
        script.CountUp(request.CalculateSize());
        script.Aborts.Enqueue(request);
        AbortReply reply = new();
        script.CountDown(reply.CalculateSize());
        return Task.FromResult(reply);
    }
}

internal sealed class ScriptedTransferService(ServerScript script) : TransferService.TransferServiceBase
{
    public override async Task Download(DownloadRequest request, IServerStreamWriter<DownloadChunk> responses, ServerCallContext context)
    {
        script.CountUp(request.CalculateSize());
        ContentHash content = ContentHash.FromBytes(request.Sha256.Span);
        script.Downloads.Enqueue((content, (long)request.Offset));
        byte[] bytes = script.Objects.TryGetValue(content, out byte[]? found)
            ? found
            : throw new RpcException(
                new Status(StatusCode.NotFound, "no such object"),
                new Metadata { { ErrorCatalogue.TrailerName, ((int)ErrorCode.NotFound).ToString() } });
        if (script.CorruptDownloads.TryGetValue(content, out int times) && times > 0)
        {
            script.CorruptDownloads[content] = times - 1;
            bytes = [.. bytes[..^1], (byte)(bytes[^1] ^ 1)];
        }

        long breakAt = script.BrokenDownloads.TryGetValue(content, out var breaks) && breaks.TryDequeue(out long at) ? at : long.MaxValue;
        for (long offset = (long)request.Offset; offset < bytes.Length;)
        {
            int length = (int)Math.Min(Math.Min(1000, bytes.Length - offset), breakAt - offset);
            if (length == 0)
            {
                // An orderly failure: whatever was written reaches the client first, so that the offset it asks for next is known.
                throw new RpcException(new Status(StatusCode.Unavailable, $"broken at {offset}"));
            }

            await SendAsync(responses, offset, bytes, length);
            offset += length;
        }
    }

    private async Task SendAsync(IServerStreamWriter<DownloadChunk> responses, long offset, byte[] bytes, int length)
    {
        DownloadChunk chunk = new()
        {
            Offset = (ulong)offset,
            TotalLength = (ulong)bytes.Length,
            Data = ByteString.CopyFrom(bytes.AsSpan((int)offset, length)),
        };
        await responses.WriteAsync(chunk);
        script.CountDown(chunk.CalculateSize());
    }
}

internal sealed class ScriptedUpdateService(ServerScript script) : UpdateService.UpdateServiceBase
{
    public override Task<UploadStatusReply> UploadStatus(UploadStatusRequest request, ServerCallContext context)
    {
        script.CountUp(request.CalculateSize());
        UploadStatusReply reply = new()
        {
            ReceivedBytes = script.PartialUploads.TryGetValue(request.Sha256.ToBase64(), out MemoryStream? held) ? (ulong)held.Length : 0,
        };
        script.CountDown(reply.CalculateSize());
        return Task.FromResult(reply);
    }

    public override async Task<SubmitReply> Submit(IAsyncStreamReader<SubmitChunk> requests, ServerCallContext context)
    {
        long breakAt = script.BrokenUploads.TryDequeue(out long at) ? at : long.MaxValue;
        SubmitHeader? header = null;
        MemoryStream? received = null;
        await foreach (SubmitChunk chunk in requests.ReadAllAsync())
        {
            script.CountUp(chunk.CalculateSize());
            if (header is null)
            {
                header = chunk.Header;
                script.SubmitOffsets.Enqueue((long)chunk.Offset);
                received = script.PartialUploads.GetOrAdd(header.Sha256.ToBase64(), _ => new MemoryStream());
                script.SubmissionBegan.TrySetResult();
                await script.HoldSubmissions.WaitAsync(context.CancellationToken);
            }

            Assert.Equal(received!.Length, (long)chunk.Offset);
            received.Write(chunk.Data.Span);
            if (received.Length >= breakAt)
            {
                context.GetHttpContext().Abort();
                throw new RpcException(new Status(StatusCode.Unavailable, "broken"));
            }
        }

        SubmitReply reply = script.Complete(header!, received!.ToArray());
        script.CountDown(reply.CalculateSize());
        return reply;
    }
}
