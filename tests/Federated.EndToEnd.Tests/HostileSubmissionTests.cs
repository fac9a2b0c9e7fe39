using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.EndToEnd.Tests;

/// <summary>
/// Submissions that no honest client makes. Each ends in its named outcome, is counted once in its round's statistics, and leaves the
/// round as if it had never come: the same device is accepted afterwards and the model is the exact mean of the honest updates.
/// </summary>
public sealed class HostileSubmissionTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static readonly Dictionary<string, (SubmitOutcome Outcome, Func<Hostility, Task<SubmitReply>> Attack)> _attacks = new()
    {
        ["random bytes"] = (SubmitOutcome.Malformed, h => h.SendPayloadAsync([.. Enumerable.Range(0, 300).Select(i => (byte)(i * 151 % 256))])),
        ["truncated"] = (SubmitOutcome.Malformed, h => h.SendPayloadAsync(h.Payload[..^1])),
        ["trailing byte"] = (SubmitOutcome.Malformed, h => h.SendPayloadAsync([.. h.Payload, 0])),
        ["no byte at all"] = (SubmitOutcome.Malformed, h => h.SendPayloadAsync([])),
        ["too few parameters"] = (SubmitOutcome.Malformed, h => h.SendAsync(h.Update with { Delta = h.Update.Delta[..^1] })),
        ["too many parameters"] = (SubmitOutcome.Malformed, h => h.SendAsync(h.Update with { Delta = [.. h.Update.Delta, 1f] })),
        ["no examples"] = (SubmitOutcome.Malformed, h => h.SendAsync(h.Update with { Weight = 0 })),
        ["too many examples"] = (SubmitOutcome.Malformed, h => h.SendAsync(h.Update with { Weight = ProtocolLimits.MaxExamples + 1 })),
        ["unknown encoding"] = (SubmitOutcome.Malformed, h => h.SendPayloadAsync((h.Update.ToDocument() with { Encoding = (UpdateEncoding)9 }).ToBytes())),
        ["oversized header"] = (SubmitOutcome.Oversized, h => h.SendUnderAsync(header => header.LengthBytes = 1 << 20)),
        ["absurd length"] = (SubmitOutcome.Oversized, h => h.SendUnderAsync(header => header.LengthBytes = ulong.MaxValue)),
        ["more bytes than announced"] = (SubmitOutcome.Oversized, h => h.SendUnderAsync(header => header.LengthBytes--)),
        ["NaN"] = (SubmitOutcome.NotFinite, h => h.SendValueAsync(float.NaN)),
        ["positive infinity"] = (SubmitOutcome.NotFinite, h => h.SendValueAsync(float.PositiveInfinity)),
        ["negative infinity"] = (SubmitOutcome.NotFinite, h => h.SendValueAsync(float.NegativeInfinity)),
        ["loss not a number"] = (SubmitOutcome.NotFinite, h => h.SendPayloadAsync((h.Update.ToDocument() with { MeanLoss = double.NaN }).ToBytes())),
        ["beyond the range of the sum"] = (SubmitOutcome.OutOfRange, h => h.SendValueAsync(float.MaxValue)),
        ["future round"] = (SubmitOutcome.WrongRound, h => h.SendUnderAsync(header => header.Round++)),
        ["round zero"] = (SubmitOutcome.WrongRound, h => h.SendUnderAsync(header => header.Round = 0)),
        ["last round there can be"] = (SubmitOutcome.WrongRound, h => h.SendUnderAsync(header => header.Round = ulong.MaxValue)),
        ["payload of another round"] = (SubmitOutcome.WrongRound, h => h.SendPayloadAsync((h.Update.ToDocument() with { Round = 77 }).ToBytes())),
        ["payload of another job"] = (SubmitOutcome.WrongRound, h => h.SendPayloadAsync((h.Update.ToDocument() with { JobId = "another-1" }).ToBytes())),
        ["replay of the round before"] = (SubmitOutcome.Replayed, h => h.SendPayloadAsync(StubUpdate.For(h.Device.Id, h.Before).ToPayload())),
        ["another model version"] = (SubmitOutcome.WrongModelVersion, h => h.SendPayloadAsync((h.Update.ToDocument() with { ModelVersion = 0 }).ToBytes())),
        ["another hash"] = (SubmitOutcome.HashMismatch, h => h.SendUnderAsync(header => header.Sha256 = ByteString.CopyFrom(new byte[32]))),
        ["not selected"] = (SubmitOutcome.NotSelected, h => h.SendUnderAsync(header => header.DeviceId = "stranger")),
    };

    public static TheoryData<string> Attacks => [.. _attacks.Keys];

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Submit_HostileUpdate_EndsInItsOutcomeAndChangesNothing(string attack)
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "hostile", devices: 2, goal: 2, rounds: 2);
        PlanDocument before = await job.HonestRoundAsync();
        PlanDocument plan = await job.OpenRoundAsync();
        (SubmitOutcome expected, Func<Hostility, Task<SubmitReply>> act) = _attacks[attack];

        SubmitReply reply = await act(new Hostility(job.Devices[0], plan, before));

        Assert.Equal(expected, reply.Outcome);
        Assert.NotEmpty(reply.Detail);
        await VectorJob.ContributeAsync(plan, job.Devices);
        RoundRecord record = await job.CommittedAsync(plan, job.Devices);
        AssertRefused(record, (expected, 1));
        Assert.Equal(0, record.Late);
    }

    [Fact]
    public async Task Submit_SameAndOtherContentAfterAcceptance_CountsTheFirstOnce()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "again", devices: 2, goal: 2, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();
        await VectorJob.ContributeAsync(plan, job.Devices[0]);
        Hostility again = new(job.Devices[0], plan, plan);

        Assert.Equal(SubmitOutcome.Duplicate, (await again.SendAsync(again.Update)).Outcome);
        Assert.Equal(SubmitOutcome.Duplicate, (await again.SendAsync(again.Update)).Outcome);
        Assert.Equal(SubmitOutcome.Conflict, (await again.SendValueAsync(3f)).Outcome);

        await VectorJob.ContributeAsync(plan, job.Devices[1]);
        RoundRecord record = await job.CommittedAsync(plan, job.Devices);
        AssertRefused(record, (SubmitOutcome.Duplicate, 2), (SubmitOutcome.Conflict, 1));
    }

    [Fact]
    public async Task Submit_SameContentAtTheSameTime_CountsOnce()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "twins", devices: 2, goal: 2, rounds: 1, parameters: 50_000);
        PlanDocument plan = await job.OpenRoundAsync();

        SubmitReply[] replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => job.Devices[0].SubmitAsync(plan)));

        Assert.Single(replies, reply => reply.Outcome == SubmitOutcome.Accepted);
        Assert.Equal(7, replies.Count(reply => reply.Outcome == SubmitOutcome.Duplicate));
        await VectorJob.ContributeAsync(plan, job.Devices[1]);
        AssertRefused(await job.CommittedAsync(plan, job.Devices), (SubmitOutcome.Duplicate, 7));
    }

    [Fact]
    public async Task Submit_AfterTheCommit_IsLateAndCountedOnceADevice()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "late", devices: 3, goal: 2, rounds: 2);
        PlanDocument plan = await job.OpenRoundAsync();
        await VectorJob.ContributeAsync(plan, job.Devices[0], job.Devices[1]);

        // At once, while the commit is under way, and again when it is done.
        Assert.Equal(SubmitOutcome.Late, (await job.Devices[2].SubmitAsync(plan)).Outcome);
        await job.CommittedAsync(plan, job.Devices[0], job.Devices[1]);
        Assert.Equal(SubmitOutcome.Late, (await job.Devices[2].SubmitAsync(plan)).Outcome);
        Assert.Equal(SubmitOutcome.Duplicate, (await job.Devices[0].SubmitAsync(plan)).Outcome);

        RoundRecord record = await server.RecordWhenAsync(job.JobId, 1, "counted the duplicate", r => r.Refused.Count > 0);
        Assert.Equal(1, record.Late);
        AssertRefused(record, (SubmitOutcome.Duplicate, 1));
        Assert.Equal(job.AdapterSha256, record.AdapterSha256);
        PlanDocument next = await job.OpenRoundAsync();
        await VectorJob.ContributeAsync(next, job.Devices[1], job.Devices[2]);
        await job.CommittedAsync(next, job.Devices[1], job.Devices[2]);
    }

    [Fact]
    public async Task Submit_ToAnAbandonedRound_IsToldSo()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "abandoned", devices: 2, goal: 2, rounds: 2);
        PlanDocument plan = await job.OpenRoundAsync();
        await server.Api.CancelJobAsync(job.JobId, TestContext.Current.CancellationToken);
        RoundRecord record = await server.RecordAsync(job.JobId, 1);
        Assert.Equal(RoundOutcome.Abandoned, record.Outcome);

        Assert.Equal(SubmitOutcome.RoundAbandoned, (await job.Devices[0].SubmitAsync(plan)).Outcome);

        record = await server.RecordWhenAsync(job.JobId, 1, "counted the refusal", r => r.Refused.Count > 0);
        AssertRefused(record, (SubmitOutcome.RoundAbandoned, 1));
        Assert.Equal(job.AdapterSha256, record.AdapterSha256);
    }

    [Fact]
    public async Task Submit_ToAClosedRoundFromOutsideItsCohort_LeavesItsRecord()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "settled", devices: 1, goal: 1, rounds: 1);
        PlanDocument plan = await job.HonestRoundAsync();
        await server.EndAsync(job.JobId);
        Hostility stranger = new(new StubDevice("stranger", "elsewhere", server.Channel), plan, plan);

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(SubmitOutcome.NotSelected, (await stranger.SendAsync(stranger.Update)).Outcome);
            Assert.Equal(SubmitOutcome.WrongRound, (await stranger.SendUnderAsync(header => header.Round += (ulong)i + 1)).Outcome);
        }

        RoundRecord record = await server.RecordAsync(job.JobId, 1);
        AssertRefused(record);
        Assert.Equal(0, record.Late);
    }

    [Fact]
    public async Task Submit_BrokenWhenItsRoundEnds_IsNotKept()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "leftover", devices: 2, goal: 2, rounds: 2);
        PlanDocument plan = await job.OpenRoundAsync();
        StubUpdate update = StubUpdate.For(job.Devices[0].Id, plan);
        byte[] payload = update.ToPayload();
        SubmitHeader header = update.HeaderFor(payload);
        await Assert.ThrowsAsync<RpcException>(
            () => job.Devices[0].SendAsync(new SubmitChunk { Header = header, Data = ByteString.CopyFrom(payload, 0, 20) }));
        Assert.Equal(20, await job.Devices[0].HeldAsync(header));

        await server.Api.CancelJobAsync(job.JobId, TestContext.Current.CancellationToken);
        await server.RecordAsync(job.JobId, 1);

        Assert.Equal(0, await job.Devices[0].HeldAsync(header));
    }

    [Fact]
    public async Task Submit_UnknownJob_IsToldSo()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "known", devices: 1, goal: 1, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();
        Hostility hostility = new(job.Devices[0], plan, plan);

        Assert.Equal(SubmitOutcome.UnknownJob, (await hostility.SendUnderAsync(header => header.JobId = "nobody-1")).Outcome);

        await VectorJob.ContributeAsync(plan, job.Devices);
        AssertRefused(await job.CommittedAsync(plan, job.Devices));
    }

    [Fact]
    public async Task Submit_AbsurdCosts_AreBroughtIntoRange()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "costs", devices: 1, goal: 1, rounds: 1);
        PlanDocument plan = await job.OpenRoundAsync();
        Hostility hostility = new(job.Devices[0], plan, plan);

        SubmitReply reply = await hostility.SendUnderAsync(header => header.Costs = new ClientCosts
        {
            BytesDown = ulong.MaxValue,
            BytesUp = long.MaxValue,
            PeakMemoryBytes = ulong.MaxValue,
            ComputeSeconds = double.NaN,
            DownloadSeconds = double.NegativeInfinity,
        });

        Assert.Equal(SubmitOutcome.Accepted, reply.Outcome);
        RoundRecord record = await job.CommittedAsync(plan, job.Devices);
        Assert.Equal(1L << 40, record.BytesDown);
        Assert.Equal(1L << 40, record.BytesUp);
        Assert.Equal(0, record.Timing.ClientComputeSeconds);
    }

    [Fact]
    public async Task Submit_EveryAttackInOneJob_GivesTheModelOfACleanRun()
    {
        VectorJob clean = await VectorJob.SubmitAsync(server, "siege", devices: 2, goal: 2, rounds: 3);
        VectorJob besieged = await VectorJob.SubmitAsync(server, "siege", devices: 2, goal: 2, rounds: 3);
        await RunAsync(clean, attacked: false);
        await RunAsync(besieged, attacked: true);

        // The devices of both jobs have the same names and so send the same updates.
        Assert.NotEqual(clean.JobId, besieged.JobId);
        Assert.Equal(clean.AdapterSha256, besieged.AdapterSha256);
        Assert.Equal((await server.EndAsync(clean.JobId)).AdapterSha256, (await server.EndAsync(besieged.JobId)).AdapterSha256);
    }

    internal static void AssertRefused(RoundRecord record, params (SubmitOutcome Outcome, int Count)[] expected) =>
        Assert.Equal(
            expected.Select(pair => (Hostility.NameOf(pair.Outcome), pair.Count)).Order(),
            record.Refused.Select(pair => (pair.Key, pair.Value)).Order());

    private static async Task RunAsync(VectorJob job, bool attacked)
    {
        PlanDocument before = await job.HonestRoundAsync();
        for (int round = 2; round <= 3; round++)
        {
            PlanDocument plan = await job.OpenRoundAsync();
            foreach ((SubmitOutcome expected, Func<Hostility, Task<SubmitReply>> act) in attacked ? [.. _attacks.Values] : Array.Empty<(SubmitOutcome, Func<Hostility, Task<SubmitReply>>)>())
            {
                Assert.Equal(expected, (await act(new Hostility(job.Devices[1], plan, before))).Outcome);
            }

            await VectorJob.ContributeAsync(plan, job.Devices);
            RoundRecord record = await job.CommittedAsync(plan, job.Devices);
            Assert.Equal(attacked ? _attacks.Count : 0, record.Refused.Values.Sum());
            before = plan;
        }
    }
}
