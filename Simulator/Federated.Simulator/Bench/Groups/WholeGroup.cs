using Federated.Server.SecureAggregation;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Federated.Shared.SecureAggregation.Client;

namespace Federated.Simulator.Bench.Groups;

/// <summary>
/// Runs all parties of a group in this process, clients spread over the processors, and checks the sum. Every client does all of its own
/// work; nothing is shared between them.
/// </summary>
internal static class WholeGroup
{
    /// <summary>Runs the group once.</summary>
    /// <exception cref="InvalidOperationException">The group was abandoned, or its sum is wrong.</exception>
    public static GroupCost Measure(GroupShape shape, EnrolledMembers enrolled, MachineRates rates)
    {
        int workers = Environment.ProcessorCount;
        using DeviceSigningKey serverKey = DeviceSigningKey.Create();
        GroupHeader header = shape.Header;
        string[] devices = [.. Enumerable.Range(1, shape.Members).Select(EnrolledMembers.DeviceOf)];
        SecureAggregationClient[] clients = new SecureAggregationClient[shape.Members];
        for (int worker = 0; worker < workers; worker++)
        {
            IEnrolledDevices directory = enrolled.NewDirectory();
            DeviceVerifyingKey verifier = serverKey.ToVerifyingKey();
            for (int i = worker; i < clients.Length; i += workers)
            {
                clients[i] = NewClient(shape, header, i + 1, enrolled, directory, verifier);
            }
        }

        CpuSpan clientTime = new();
        CpuSpan serverTime = new();
        GroupTraffic traffic = new();
        SecureAggregationServer server = new(header, serverKey, devices, new ServerTerms(enrolled.NewDirectory(), workers));
        IReadOnlyDictionary<string, GroupServerMessage> messages = devices.ToDictionary(device => device, _ => server.Invitation);
        SessionId? session = null;
        for (ServerStep step = server.Step; step is not (ServerStep.Finished or ServerStep.Abandoned); step = server.Step)
        {
            GroupClientMessage?[] answers = new GroupClientMessage?[clients.Length];
            clientTime.Measure(() => Parallel.For(0, workers, worker =>
            {
                for (int i = worker; i < clients.Length; i += workers)
                {
                    bool gone = step >= ServerStep.CollectingInputs && shape.Drops(i + 1);
                    answers[i] = !gone && messages.TryGetValue(devices[i], out GroupServerMessage? message) ? clients[i].Receive(message) : null;
                }
            }));
            Count(traffic, shape, devices, messages, answers);
            serverTime.Measure(() =>
            {
                for (int i = 0; i < answers.Length; i++)
                {
                    if (answers[i] is { } answer)
                    {
                        server.Receive(devices[i], answer);
                    }
                }

                messages = server.CloseStep();
            });
            session ??= messages.Count > 0 ? SessionId.FromBytes(messages.First().Value.SessionId.Span) : null;
        }

        Check(shape, server);
        return GroupCost.Of(
            shape,
            GroupTopology.Of(header, shape.Members, session!),
            clientTime.Cpu.TotalSeconds / (shape.Members - shape.Dropped),
            serverTime.Cpu.TotalSeconds,
            traffic,
            (clientTime.Wall + serverTime.Wall).TotalSeconds,
            rates);
    }

    /// <summary>A client whose every field is 1, or 0 where its number and the field's index differ in parity.</summary>
    public static SecureAggregationClient NewClient(
        GroupShape shape, GroupHeader header, int member, EnrolledMembers enrolled, IEnrolledDevices directory, DeviceVerifyingKey verifier)
    {
        FieldVector fields = new(shape.Fields, shape.WidthBits);
        for (int i = member & 1; i < shape.Fields; i += 2)
        {
            fields[i] = 1;
        }

        ClientTerms terms = new()
        {
            DeviceId = EnrolledMembers.DeviceOf(member),
            SigningKey = enrolled.KeyOf(member),
            Devices = directory,
            ServerKey = verifier,
            JobId = header.JobId,
            Round = header.Round,
            Group = header.Group,
            Plan = header.Plan,
            AcceptsNeighbourGraph = true,
        };
        return new SecureAggregationClient(terms, new ClientInput(fields, header.Model));
    }

    private static void Count(
        GroupTraffic traffic, GroupShape shape, string[] devices, IReadOnlyDictionary<string, GroupServerMessage> messages, GroupClientMessage?[] answers)
    {
        // The first member that stays speaks for all: they differ by the lengths of a few small numbers.
        int index = Enumerable.Range(0, devices.Length).First(i => !shape.Drops(i + 1));
        if (answers[index] is { } answer)
        {
            traffic.Add(messages[devices[index]]);
            traffic.Add(answer);
        }
    }

    private static void Check(GroupShape shape, SecureAggregationServer server)
    {
        if (server.Sum is not { } sum)
        {
            throw new InvalidOperationException($"The group of {shape} was abandoned: {server.AbandonReason}");
        }

        uint[] expected = [0, 0];
        for (int member = 1; member <= shape.Members; member++)
        {
            expected[member & 1] += shape.Drops(member) ? 0u : 1u;
        }

        for (int i = 0; i < shape.Fields; i++)
        {
            if (sum.Fields[i] != expected[i & 1])
            {
                throw new InvalidOperationException($"Field {i} of {shape} is {sum.Fields[i]}, its sum is {expected[i & 1]}.");
            }
        }
    }
}
