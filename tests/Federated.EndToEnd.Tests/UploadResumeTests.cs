using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests;

/// <summary>Uploads that break in the middle.</summary>
public sealed class UploadResumeTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const int Parameters = 100_000;
    private const int SentChunks = 3;

    private static readonly TimeSpan _noticing = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Submit_BrokenInTheMiddle_GoesOnWhereItStoppedAndCountsOnce()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "resume", devices: 2, goal: 2, rounds: 1, parameters: Parameters);
        PlanDocument plan = await job.OpenRoundAsync();
        StubDevice device = job.Devices[0];
        StubUpdate update = StubUpdate.For(device.Id, plan);
        byte[] payload = update.ToPayload();
        SubmitHeader header = update.HeaderFor(payload);
        Assert.Equal(0, await device.HeldAsync(header));

        long held = await BreakAsync(device, header, payload);

        SubmitReply reply = await device.SubmitAsync(header, payload, (int)held);
        Assert.Equal(SubmitOutcome.Accepted, reply.Outcome);
        Assert.Equal(0, await device.HeldAsync(header));
        await VectorJob.ContributeAsync(plan, job.Devices[1]);
        RoundRecord record = await job.CommittedAsync(plan, job.Devices);
        Assert.Empty(record.Refused);
    }

    [Fact]
    public async Task Submit_ResumedAtTheWrongPlace_IsToldAndSucceedsFromTheRightOne()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "astray", devices: 1, goal: 1, rounds: 1, parameters: Parameters);
        PlanDocument plan = await job.OpenRoundAsync();
        StubDevice device = job.Devices[0];
        StubUpdate update = StubUpdate.For(device.Id, plan);
        byte[] payload = update.ToPayload();
        SubmitHeader header = update.HeaderFor(payload);
        long held = await BreakAsync(device, header, payload);

        RpcException e = await Assert.ThrowsAsync<RpcException>(() => device.SubmitAsync(header, payload));
        Assert.Equal($"{(int)ErrorCode.WrongOffset}", e.Trailers.GetValue(ErrorCatalogue.TrailerName));

        // What was held stays held: a confused call costs the device nothing.
        Assert.Equal(held, await device.HeldAsync(header));
        Assert.Equal(SubmitOutcome.Accepted, (await device.SubmitAsync(header, payload, (int)held)).Outcome);
        await job.CommittedAsync(plan, job.Devices);
    }

    [Fact]
    public async Task Submit_ResumedUnderAnotherLength_StartsAnew()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "shrunk", devices: 1, goal: 1, rounds: 1, parameters: Parameters);
        PlanDocument plan = await job.OpenRoundAsync();
        StubDevice device = job.Devices[0];
        StubUpdate update = StubUpdate.For(device.Id, plan);
        byte[] payload = update.ToPayload();
        SubmitHeader tooShort = update.HeaderFor(payload);
        tooShort.LengthBytes = SentChunks * ProtocolLimits.ChunkBytes + 1;
        await BreakAsync(device, tooShort, payload);

        Assert.Equal(SubmitOutcome.Accepted, (await device.SubmitAsync(update.HeaderFor(payload), payload)).Outcome);
        await job.CommittedAsync(plan, job.Devices);
    }

    /// <summary>
    /// Cuts uploads in the middle until the server holds the beginning of one: a reset may overtake what is still on its way. Gives what it holds.
    /// </summary>
    private async Task<long> BreakAsync(StubDevice device, SubmitHeader header, byte[] payload)
    {
        long held = 0;
        await Eventually.GetAsync("the server holds a broken upload", async () =>
        {
            // The server may be slow to notice a cut. Another one meanwhile would be a second broken upload, kept after the first has been finished.
            await CutAsync(device.Id, header, payload);
            long began = TimeProvider.System.GetTimestamp();
            while (held == 0 && TimeProvider.System.GetElapsedTime(began) < _noticing)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
                held = await device.HeldAsync(header);
            }

            return held > 0 ? "held" : null;
        });
        Assert.True(held <= SentChunks * ProtocolLimits.ChunkBytes && held % ProtocolLimits.ChunkBytes == 0, $"{held} bytes are held.");
        return held;
    }

    private async Task CutAsync(string deviceId, SubmitHeader header, byte[] payload)
    {
        using GrpcChannel own = GrpcChannel.ForAddress(server.GrpcAddress);
        using CancellationTokenSource cut = new();
        StubDevice device = new(deviceId, "unused", own);
        using AsyncClientStreamingCall<SubmitChunk, SubmitReply> call = device.Open(cut.Token);
        try
        {
            for (int i = 0; i < SentChunks; i++)
            {
                int offset = i * ProtocolLimits.ChunkBytes;
                await call.RequestStream.WriteAsync(
                    new SubmitChunk
                    {
                        Header = i == 0 ? header : null,
                        Offset = (ulong)offset,
                        Data = ByteString.CopyFrom(payload, offset, ProtocolLimits.ChunkBytes),
                    },
                    CancellationToken.None);

                // The answer comes over the same connection, so the chunk has reached the server before it.
                await device.HeldAsync(header);
            }
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            // The server has noticed an earlier cut only now, and this upload does not go on where that one stopped.
        }

        await cut.CancelAsync();
    }
}
