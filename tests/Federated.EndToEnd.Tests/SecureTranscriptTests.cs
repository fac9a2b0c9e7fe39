using System.Collections.Immutable;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Testing;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Federated.EndToEnd.Tests;

/// <summary>
/// Every byte that a server process received over many masked rounds, judged: in odd rounds device 0 holds update a and device 1 update b, in even
/// rounds they have changed places, so the group's sum is the same in both worlds. Whatever tells the worlds apart, equals a plain field or goes with
/// one is a leak.
/// </summary>
public sealed class SecureTranscriptTests
{
    private const int Devices = 3;
    private const int Rounds = 30;
    private const int Parameters = 4_000;
    private const int WidthBits = 16;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Received_ManyRounds_SaysNothingButTheSum()
    {
        using TemporaryFolder store = new();
        string[] names = [.. Enumerable.Range(0, Devices).Select(device => $"speaker-{device}")];
        using EnrolledFleet keys = new(names);
        string keyFile = Path.Combine(store.Path, "devices.json");
        keys.WriteFile(keyFile);
        await using ServerProcess server = await ServerProcess.StartAsync(Path.Combine(store.Path, "server"), "--device-keys", keyFile);
        await using RecordingRelay relay = new(server.GrpcAddress);
        await keys.KnowAsync(server.Api);
        JobStatus job = await server.Api.SubmitJobAsync(Spec, Ct);

        Plain[][] plain = [.. await Task.WhenAll(names.Select((name, device) => SpeakAsync(name, device, relay.Address, keys)))];
        job = await RunningServer.EndAsync(server.Api, job.JobId);
        List<RoundRecord> records = await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct);
        Assert.Equal((JobState.Completed, Rounds), (job.State, records.Count));
        Assert.All(records, record => Assert.Equal((RoundOutcome.Committed, Devices), (record.Outcome, record.Accepted)));

        // What the three held is what the server says it learned: no more than sums.
        Assert.All(records, record => Assert.Equal(Enumerable.Range(0, Devices).Sum(ExamplesOf), record.Examples));

        byte[][] received = relay.Received();
        Dictionary<(string Device, long Round), uint[]> seen = MaskedInputsOf(received);
        Assert.Equal(Devices * Rounds, seen.Count);
        Assert.All(plain.SelectMany(of => of), fields => DemandUniform(seen[(fields.Device, fields.Round)]));
        Assert.All(plain, of => DemandNoCorrelation(of, seen));
        DemandWorldsAlike(plain, seen);
        DemandNoPlainRun(received, plain);
        DemandSameShape(received);
    }

    private static string Spec => $$"""
        {
          "name": "transcript", "population": "speakers", "seed": 3, "rounds": {{Rounds}},
          "model": { "builder": "vector", "parameters": {{Parameters}} },
          "cohort": { "goal": {{Devices}}, "overSelection": 1.0, "quorum": 1.0, "minimumPool": {{Devices}} },
          "update": { "codec": "linear", "density": 1, "valueBits": {{WidthBits}}, "exampleCap": 600, "clipNorm": 10 },
          "aggregation": { "secure": { "groupSize": 3, "minMembers": 3 } }
        }
        """;

    // Device 0 and 1 hold a or b; device 2 always c.
    private static int ExamplesOf(int holder) => 100 + (holder * 150);

    /// <summary>One device through all rounds, with the real client's half of the protocol and an update that the test knows.</summary>
    private static async Task<Plain[]> SpeakAsync(string name, int device, Uri server, EnrolledFleet keys)
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(server);
        await using GrpcServerLink link = GrpcServerLink.Connect(server, new GrpcLinkOptions());
        StubDevice stub = new(name, "speakers", channel);
        MaskedRounds rounds = new();
        List<Plain> said = [];
        for (int turn = 0; turn < Rounds; turn++)
        {
            PlanDocument plan = await stub.CheckInAsync();
            int holder = device < 2 && plan.Round % 2 == 0 ? 1 - device : device;
            uint[] fields = FieldsOf(plan, holder);
            said.Add(new Plain(name, plan.Round, [.. fields.Select(field => field & ((1u << WidthBits) - 1))]));
            TransferScope scope = new(
                link,
                name,
                new ByteCounter(),
                new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), TimeProvider.System, name),
                TimeProvider.System.GetTimestamp() + (120 * TimeProvider.System.TimestampFrequency),
                TimeProvider.System);
            ClientIdentity identity = new(name, "speakers", ImmutableDictionary<string, string>.Empty);
            using MaskedSubmission submission = new(identity, plan, keys.Of(device), rounds, scope, SilentObserver.Instance);
            SubmitReply reply = await submission.RunAsync(
                fields,
                (message, _) =>
                {
                    byte[] payload = RoundBuffer.WriteUpdate(plan, 1, 0, 0, message.ToByteArray()).ToArray();
                    return stub.SubmitAsync(
                        new SubmitHeader
                        {
                            ProtocolVersion = ProtocolLimits.Version,
                            DeviceId = name,
                            JobId = plan.JobId,
                            Round = (ulong)plan.Round,
                            Sha256 = ByteString.CopyFrom(ContentHash.Of(payload).ToBytes()),
                            LengthBytes = (ulong)payload.Length,
                            Costs = new ClientCosts(),
                        },
                        payload);
                },
                Ct);
            Assert.Equal((SubmitOutcome.Accepted, ""), (reply.Outcome, reply.Detail));
        }

        return [.. said];
    }

    private static uint[] FieldsOf(PlanDocument plan, int holder)
    {
        LinearRound round = plan.Linear!;
        LinearEncoder encoder = new(round, SharedIndexSet.Random(round.Seed, round.ParameterCount, round.SetSize));
        SeededGenerator random = SeededGenerator.For(9, "held", (ulong)plan.Round, $"{holder}");
        float[] update = [.. Enumerable.Range(0, Parameters).Select(_ => (float)(random.NextGaussian() * (1 + holder) / 20))];
        encoder.Encode(update, ExamplesOf(holder), 0.5 + holder, LaneGenerator.For((ulong)plan.Round, $"dither-{holder}"));
        return encoder.Fields.ToArray();
    }

    private static Dictionary<(string Device, long Round), uint[]> MaskedInputsOf(byte[][] received)
    {
        Dictionary<(string, long), uint[]> inputs = [];
        foreach (byte[][] call in received.SelectMany(RecordingRelay.CallsOf))
        {
            if (call.Length == 0 || RecordingRelay.TryParse(SubmitChunk.Parser, call[0])?.Header is not { Sha256.Length: 32 } header)
            {
                continue;
            }

            byte[] payload = [.. call.SelectMany(message => SubmitChunk.Parser.ParseFrom(message).Data)];
            Assert.Equal(header.Sha256.ToByteArray(), ContentHash.Of(payload).ToBytes());
            UpdateDocument update = UpdateDocument.FromBytes(payload, Parameters);
            Assert.Equal((1, 0, 0.0), (update.ExampleCount, update.StepCount, update.MeanLoss));
            MaskedInput input = GroupClientMessage.Parser.ParseFrom(update.Body.Span).Input;
            FieldVector fields = FieldVector.Unpack(input.Fields.Span, input.Fields.Length * 8 / WidthBits, WidthBits);
            inputs[(header.DeviceId, (long)header.Round)] = [.. Enumerable.Range(0, fields.Length).Select(i => fields[i])];
        }

        return inputs;
    }

    private static void DemandUniform(uint[] masked)
    {
        int[] counts = new int[16];
        foreach (uint field in masked)
        {
            counts[field >> (WidthBits - 4)]++;
        }

        // Chi-square with 15 degrees of freedom exceeds 60 once in 4 million; 90 inputs are looked at.
        double expected = masked.Length / 16.0;
        Assert.InRange(counts.Sum(count => (count - expected) * (count - expected) / expected), 0, 60);
    }

    private static void DemandNoCorrelation(Plain[] plain, Dictionary<(string Device, long Round), uint[]> seen)
    {
        double[] held = [.. plain.SelectMany(of => of.Fields).Select(Signed)];
        double[] masked = [.. plain.SelectMany(of => seen[(of.Device, of.Round)]).Select(field => (double)field)];
        Assert.InRange(Math.Abs(Correlation(held, masked)) * Math.Sqrt(held.Length), 0, 5);
        int equal = plain.Sum(of => of.Fields.Zip(seen[(of.Device, of.Round)]).Count(pair => pair.First == pair.Second));

        // Equal by chance once in 2^16.
        double chance = held.Length / 65_536.0;
        Assert.InRange(equal, 0, chance + (6 * Math.Sqrt(chance)) + 1);
    }

    /// <summary>The difference of the worlds, a − b, against what devices 0 and 1 sent: a standard normal in each round of each world.</summary>
    private static void DemandWorldsAlike(Plain[][] plain, Dictionary<(string Device, long Round), uint[]> seen)
    {
        for (int device = 0; device < 2; device++)
        {
            double[] statistics = [.. plain[device].Select(of =>
            {
                Plain other = plain[1 - device].Single(candidate => candidate.Round == of.Round);
                double sign = of.Round % 2 == 0 ? -1 : 1;
                double[] difference = [.. of.Fields.Zip(other.Fields, (a, b) => sign * (Signed(a) - Signed(b)))];
                return Correlation(difference, [.. seen[(of.Device, of.Round)].Select(field => (double)field)]) * Math.Sqrt(of.Fields.Length);
            })];
            double straight = statistics.Where((_, i) => plain[device][i].Round % 2 == 1).Average();
            double swapped = statistics.Where((_, i) => plain[device][i].Round % 2 == 0).Average();

            // Means of fifteen have a deviation of 0.26 each, their difference 0.37.
            Assert.InRange(straight, -1.4, 1.4);
            Assert.InRange(swapped, -1.4, 1.4);
            Assert.InRange(straight - swapped, -2, 2);

            // The mean of thirty squares is outside once in 50 million; fields without masks make it thousands.
            Assert.InRange(statistics.Average(value => value * value), 0.15, 3.5);
        }
    }

    private static void DemandNoPlainRun(byte[][] received, Plain[][] plain)
    {
        foreach (Plain of in plain.SelectMany(device => device))
        {
            FieldVector fields = FieldVector.Of(of.Fields, WidthBits);
            byte[] packed = new byte[FieldVector.PackedLengthBytes(of.Fields.Length, WidthBits)];
            fields.Pack(packed);
            byte[] piece = packed[200..208];
            Assert.All(received, connection => Assert.Equal(-1, connection.AsSpan().IndexOf(piece)));
        }
    }

    /// <summary>No call's messages differ in number or length between the worlds: lengths would tell, too.</summary>
    private static void DemandSameShape(byte[][] received)
    {
        foreach (IGrouping<string, (string Device, long Round, int Length)> device in received.SelectMany(RecordingRelay.CallsOf)
            .SelectMany(call => call)
            .Select(message => RecordingRelay.TryParse(GroupRequest.Parser, message))
            .Where(request => request is { Message.StepCase: not GroupClientMessage.StepOneofCase.None })
            .Select(request => (request!.DeviceId, Round: (long)request.Round, Length: request.Message.CalculateSize()))
            .GroupBy(request => request.DeviceId))
        {
            // DER signatures have 70 to 72 bytes, whatever is signed.
            double odd = device.Where(message => message.Round % 2 == 1).Average(message => message.Length);
            double even = device.Where(message => message.Round % 2 == 0).Average(message => message.Length);
            Assert.InRange(odd - even, -3, 3);
            Assert.InRange(device.Count(), 4 * Rounds, 6 * Rounds);
        }
    }

    private static double Signed(uint field) => unchecked((short)field);

    private static double Correlation(double[] x, double[] y)
    {
        double meanX = x.Average();
        double meanY = y.Average();
        double xy = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum();
        return xy / Math.Sqrt(x.Sum(a => (a - meanX) * (a - meanX)) * y.Sum(b => (b - meanY) * (b - meanY)));
    }

    /// <summary>What a device held in a round: its fields before masking.</summary>
    private sealed record Plain(string Device, long Round, uint[] Fields);
}
