using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A device that speaks the generated stubs and nothing more: it can say what no honest client says.</summary>
internal sealed class StubDevice(string deviceId, string population, GrpcChannel channel)
{
    private readonly DeviceService.DeviceServiceClient _devices = new(channel);
    private readonly UpdateService.UpdateServiceClient _updates = new(channel);

    /// <summary>Its name.</summary>
    public string Id => deviceId;

    /// <summary>One check-in.</summary>
    public async Task<CheckInReply> CheckInOnceAsync(TimeSpan hold) => await _devices.CheckInAsync(
        new CheckInRequest
        {
            ProtocolVersion = ProtocolLimits.Version,
            DeviceId = deviceId,
            Population = population,
            ClientVersion = "stub",
            Engine = "none",
            MaxHoldMs = (uint)hold.TotalMilliseconds,
        },
        deadline: Soon(),
        cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Checks in until it is assigned.</summary>
    public Task<PlanDocument> CheckInAsync() => Eventually.GetAsync($"{deviceId} is assigned", async () =>
        await CheckInOnceAsync(TimeSpan.FromSeconds(10)) is { Assignment: { } assignment } ? PlanDocument.FromBytes(assignment.Plan.Memory) : null);

    /// <summary>Submits the update that this device always gives to the plan.</summary>
    public Task<SubmitReply> SubmitAsync(PlanDocument plan)
    {
        StubUpdate update = StubUpdate.For(deviceId, plan);
        byte[] payload = update.ToPayload();
        return SubmitAsync(update.HeaderFor(payload), payload);
    }

    /// <summary>Gives its part in the plan's round up.</summary>
    public async Task AbortAsync(PlanDocument plan, AbortReason reason) => await _devices.ReportAbortAsync(
        new AbortReport { DeviceId = deviceId, JobId = plan.JobId, Round = (ulong)plan.Round, Reason = reason },
        deadline: Soon(),
        cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Submits a payload under a header, in chunks as honest clients cut them.</summary>
    public Task<SubmitReply> SubmitAsync(SubmitHeader header, byte[] payload, int offset = 0)
    {
        List<SubmitChunk> chunks = [];
        do
        {
            int length = Math.Min(ProtocolLimits.ChunkBytes, payload.Length - offset);
            chunks.Add(new SubmitChunk { Offset = (ulong)offset, Data = ByteString.CopyFrom(payload, offset, length) });
            offset += length;
        }
        while (offset < payload.Length);

        chunks[0].Header = header;
        return SendAsync([.. chunks]);
    }

    /// <summary>Sends chunks as they are and waits for the answer.</summary>
    public async Task<SubmitReply> SendAsync(params SubmitChunk[] chunks)
    {
        using AsyncClientStreamingCall<SubmitChunk, SubmitReply> call = Open(TestContext.Current.CancellationToken);

        // A write into a stream that the server has ended may never return; the response always comes.
        await Task.WhenAny(WriteAsync(call.RequestStream, chunks), call.ResponseAsync);
        return await call.ResponseAsync;
    }

    /// <summary>An upload that the test conducts itself.</summary>
    public AsyncClientStreamingCall<SubmitChunk, SubmitReply> Open(CancellationToken ct) => _updates.Submit(deadline: Soon(), cancellationToken: ct);

    /// <summary>How much of an upload the server holds.</summary>
    public async Task<long> HeldAsync(SubmitHeader header) => (long)(await _updates.UploadStatusAsync(
        new UploadStatusRequest { DeviceId = header.DeviceId, JobId = header.JobId, Round = header.Round, Sha256 = header.Sha256 },
        deadline: Soon(),
        cancellationToken: TestContext.Current.CancellationToken)).ReceivedBytes;

    private static async Task WriteAsync(IClientStreamWriter<SubmitChunk> requests, SubmitChunk[] chunks)
    {
        try
        {
            foreach (SubmitChunk chunk in chunks)
            {
                await requests.WriteAsync(chunk, TestContext.Current.CancellationToken);
            }

            await requests.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            // The server has answered before it had everything; the response says what.
        }
    }

    private static DateTime Soon() => TimeProvider.System.GetUtcNow().UtcDateTime + Eventually.Deadline;
}
