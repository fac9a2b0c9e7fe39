using System.Net.Http.Headers;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests;

/// <summary>
/// Calls that break the protocol itself. Each ends in the status of its catalogue code with the code in the trailer, and the round
/// goes on as if nothing had happened.
/// </summary>
public sealed class HostileStreamTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static readonly Dictionary<string, (ErrorCode Code, Func<Hostility, Task> Attack)> _attacks = new()
    {
        ["no message"] = (ErrorCode.MalformedDocument, h => h.Device.SendAsync()),
        ["no header"] = (ErrorCode.MalformedDocument, h => h.Device.SendAsync(new SubmitChunk { Data = ByteString.CopyFrom(h.Payload) })),
        ["hash of 31 bytes"] = (ErrorCode.MalformedDocument, h => h.SendUnderAsync(header => header.Sha256 = ByteString.CopyFrom(new byte[31]))),
        ["protocol 0"] = (ErrorCode.UnsupportedVersion, h => h.SendUnderAsync(header => header.ProtocolVersion = 0)),
        ["protocol 99"] = (ErrorCode.UnsupportedVersion, h => h.SendUnderAsync(header => header.ProtocolVersion = 99)),
        ["device with a slash"] = (ErrorCode.InvalidIdentifier, h => h.SendUnderAsync(header => header.DeviceId = "../../etc")),
        ["device without a name"] = (ErrorCode.InvalidIdentifier, h => h.SendUnderAsync(header => header.DeviceId = "")),
        ["job of 200 characters"] = (ErrorCode.InvalidIdentifier, h => h.SendUnderAsync(header => header.JobId = new string('j', 200))),
        ["first chunk off zero"] = (ErrorCode.WrongOffset, h => h.Device.SendAsync(Chunk(h, 10, 20, headed: true))),
        ["gap between chunks"] = (ErrorCode.WrongOffset, h => h.Device.SendAsync(Chunk(h, 0, 20, headed: true), Chunk(h, 21, 30))),
        ["chunk twice"] = (ErrorCode.WrongOffset, h => h.Device.SendAsync(Chunk(h, 0, 20, headed: true), Chunk(h, 0, 20))),
        ["offset beyond everything"] = (ErrorCode.WrongOffset, h => h.Device.SendAsync(Chunk(h, 0, 20, headed: true), new SubmitChunk { Offset = ulong.MaxValue })),
        ["end before the end"] = (ErrorCode.WrongOffset, h => h.Device.SendAsync(Chunk(h, 0, 20, headed: true))),
        ["message above the limit"] = (ErrorCode.LimitExceeded, h => h.Device.SendAsync(
            Chunk(h, 0, 20, headed: true), new SubmitChunk { Offset = 20, Data = ByteString.CopyFrom(new byte[ProtocolLimits.MaxMessageBytes + 1]) })),
    };

    public static TheoryData<string> Attacks => [.. _attacks.Keys];

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Submit_BrokenProtocol_EndsInItsStatusAndChangesNothing(string attack)
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "broken", devices: 2, goal: 2, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();
        (ErrorCode code, Func<Hostility, Task> act) = _attacks[attack];

        await AssertFailsAsync(code, () => act(new Hostility(job.Devices[0], plan, plan)));

        await FinishAsync(job, plan);
    }

    [Fact]
    public async Task Submit_BytesThatAreNoMessage_AreMalformed()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "noise", devices: 2, goal: 2, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();

        // A gRPC frame of five bytes that are no protobuf message: field 1 with a length beyond the end.
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(server.GrpcAddress, "/federated.v1.UpdateService/Submit"))
        {
            Version = new Version(2, 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 5, 0x0A, 0xFF, 0xFF, 0xFF, 0x7F]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.Add("te", "trailers");
        using HttpResponseMessage response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        ILookup<string, string> trailers = response.TrailingHeaders.Concat(response.Headers)
            .SelectMany(header => header.Value.Select(value => (header.Key, value))).ToLookup(pair => pair.Key, pair => pair.value);
        Assert.Equal(["1002"], trailers[ErrorCatalogue.TrailerName]);
        Assert.Equal([$"{(int)StatusCode.InvalidArgument}"], trailers["grpc-status"]);
        await FinishAsync(job, plan);
    }

    [Fact]
    public async Task CheckIn_BrokenRequests_EndInTheirStatus()
    {
        DeviceService.DeviceServiceClient devices = new(server.Channel);
        CheckInRequest good = new() { ProtocolVersion = ProtocolLimits.Version, DeviceId = "d", Population = "p", MaxHoldMs = 0 };
        Assert.NotNull((await devices.CheckInAsync(good, cancellationToken: TestContext.Current.CancellationToken)).Retry);

        (ErrorCode, Action<CheckInRequest>)[] breaks =
        [
            (ErrorCode.UnsupportedVersion, r => r.ProtocolVersion = 2),
            (ErrorCode.InvalidIdentifier, r => r.DeviceId = ".hidden"),
            (ErrorCode.InvalidIdentifier, r => r.Population = "a/b"),
            (ErrorCode.LimitExceeded, r => r.ClientVersion = new string('v', 501)),
            (ErrorCode.LimitExceeded, r => r.Engine = new string('e', 501)),
            (ErrorCode.LimitExceeded, r => r.Labels.Add(Enumerable.Range(0, 33).ToDictionary(i => $"label-{i}", _ => "x"))),
            (ErrorCode.LimitExceeded, r => r.Labels.Add("note", new string('x', 501))),
            (ErrorCode.LimitExceeded, r => r.Labels.Add(new string('x', 501), "name")),
        ];
        foreach ((ErrorCode code, Action<CheckInRequest> break_) in breaks)
        {
            CheckInRequest request = good.Clone();
            break_(request);
            await AssertFailsAsync(code, async () => await devices.CheckInAsync(request, cancellationToken: TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task ReportAbort_OfNoRoundOrByAStranger_ChangesNothing()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "aborts", devices: 2, goal: 2, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();
        DeviceService.DeviceServiceClient devices = new(server.Channel);
        AbortReport report = new() { DeviceId = "stranger", JobId = job.JobId, Round = (ulong)plan.Round, Reason = AbortReason.Policy };

        await devices.ReportAbortAsync(report, cancellationToken: TestContext.Current.CancellationToken);
        foreach (ulong round in new[] { 0UL, 2UL, ulong.MaxValue })
        {
            AbortReport wrong = report.Clone();
            wrong.Round = round;
            await AssertFailsAsync(ErrorCode.NotFound, async () => await devices.ReportAbortAsync(wrong, cancellationToken: TestContext.Current.CancellationToken));
        }

        await FinishAsync(job, plan);
    }

    [Fact]
    public async Task Download_WhatIsNotThere_EndsInItsStatus()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "download", devices: 1, goal: 1, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();
        byte[] adapter = await DownloadAsync(plan.Adapter.ToBytes(), 0);
        Assert.Equal(plan.Adapter, ContentHash.Of(adapter));
        Assert.Equal(adapter[100..], await DownloadAsync(plan.Adapter.ToBytes(), 100));
        Assert.Empty(await DownloadAsync(plan.Adapter.ToBytes(), (ulong)adapter.Length));

        await AssertFailsAsync(ErrorCode.NotFound, () => DownloadAsync(new byte[32], 0));
        await AssertFailsAsync(ErrorCode.WrongOffset, () => DownloadAsync(plan.Adapter.ToBytes(), (ulong)adapter.Length + 1));
        await AssertFailsAsync(ErrorCode.WrongOffset, () => DownloadAsync(plan.Adapter.ToBytes(), ulong.MaxValue));
        await AssertFailsAsync(ErrorCode.MalformedDocument, () => DownloadAsync(new byte[33], 0));
    }

    private static SubmitChunk Chunk(Hostility hostility, int start, int end, bool headed = false)
    {
        byte[] payload = hostility.Payload;
        SubmitChunk chunk = new() { Offset = (ulong)start, Data = ByteString.CopyFrom(payload, start, end - start) };
        if (headed)
        {
            chunk.Header = hostility.Update.HeaderFor(payload);
        }

        return chunk;
    }

    private static async Task FinishAsync(VectorJob job, PlanDocument plan)
    {
        // As the client does: a broken upload goes on where the server says.
        foreach (StubDevice device in job.Devices)
        {
            StubUpdate update = StubUpdate.For(device.Id, plan);
            byte[] payload = update.ToPayload();
            SubmitHeader header = update.HeaderFor(payload);
            Assert.Equal(SubmitOutcome.Accepted, (await device.SubmitAsync(header, payload, (int)await device.HeldAsync(header))).Outcome);
        }

        RoundRecord record = await job.CommittedAsync(plan, job.Devices);
        Assert.Empty(record.Refused);
        Assert.Equal(0, record.Late);
        Assert.Empty(record.Dropped);
    }

    private async Task<byte[]> DownloadAsync(byte[] sha256, ulong offset)
    {
        using AsyncServerStreamingCall<DownloadChunk> call = new TransferService.TransferServiceClient(server.Channel).Download(
            new DownloadRequest { Sha256 = ByteString.CopyFrom(sha256), Offset = offset }, cancellationToken: TestContext.Current.CancellationToken);
        List<byte> content = [];
        await foreach (DownloadChunk chunk in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            Assert.Equal(offset + (ulong)content.Count, chunk.Offset);
            content.AddRange(chunk.Data.Span);
        }

        return [.. content];
    }

    private static async Task AssertFailsAsync(ErrorCode code, Func<Task> call)
    {
        RpcException e = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal($"{(int)code}", e.Trailers.GetValue(ErrorCatalogue.TrailerName));
        Assert.Equal(ErrorCatalogue.For(code).Status, e.StatusCode);
        Assert.NotEmpty(e.Status.Detail);
    }
}
