using System.Security.Cryptography;
using Federated.Server.SecureAggregation;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Federated.Shared.SecureAggregation.Client;
using Google.Protobuf;

namespace Federated.Simulator.Bench.Groups;

/// <summary>
/// A group too large to run every client of it: the server and two clients do all of their work and are measured, stand-ins play the
/// others. The sum is noise, because the stand-ins' inputs are.
/// </summary>
internal static class SampledGroup
{
    private const int MeasuredClients = 2;

    /// <summary>Runs the group once.</summary>
    /// <exception cref="InvalidOperationException">The group was abandoned.</exception>
    public static GroupCost Measure(GroupShape shape, EnrolledMembers enrolled, MachineRates rates)
    {
        using DeviceSigningKey serverKey = DeviceSigningKey.Create();
        GroupHeader header = shape.Header;
        string[] devices = [.. Enumerable.Range(1, shape.Members).Select(EnrolledMembers.DeviceOf)];
        int[] measured = [.. Enumerable.Range(1, shape.Members).Where(member => !shape.Drops(member)).Take(MeasuredClients)];
        Dictionary<int, SecureAggregationClient> clients = measured.ToDictionary(
            member => member,
            member => WholeGroup.NewClient(shape, header, member, enrolled, enrolled.NewDirectory(), serverKey.ToVerifyingKey()));
        StandIn[] others = [.. Enumerable.Range(1, shape.Members).Except(measured).Select(member => new StandIn(member, enrolled.KeyOf(member)))];

        CpuSpan clientTime = new();
        CpuSpan serverTime = new();
        GroupTraffic traffic = new();
        SecureAggregationServer server = new(header, serverKey, devices, new ServerTerms(enrolled.NewDirectory(), Environment.ProcessorCount));

        GroupRoll? roll = null;
        Dictionary<int, GroupClientMessage> answers = [];
        IReadOnlyDictionary<string, GroupServerMessage> messages = devices.ToDictionary(device => device, _ => server.Invitation);
        Dictionary<(int From, int To), ByteString> sealedByMeasured = [];
        for (ServerStep step = server.Step; step is not (ServerStep.Finished or ServerStep.Abandoned); step = server.Step)
        {
            answers.Clear();
            foreach (int member in measured)
            {
                GroupServerMessage message = messages[devices[member - 1]];
                clientTime.Measure(() => answers.Add(member, clients[member].Receive(message)));
                if (member == measured[0])
                {
                    traffic.Add(message);
                    traffic.Add(answers[member]);
                }
            }

            if (step == ServerStep.CollectingShares)
            {
                roll = RollOf(header, messages.First().Value);
                foreach ((int member, GroupClientMessage answer) in answers)
                {
                    foreach (SealedShares shares in answer.Shares.Shares)
                    {
                        sealedByMeasured.Add((member, (int)shares.Member), shares.Ciphertext);
                    }
                }
            }

            StandInAnswers(step, shape, header, roll, others, measured, messages, sealedByMeasured, answers);
            serverTime.Measure(() =>
            {
                foreach ((int member, GroupClientMessage answer) in answers.OrderBy(answer => answer.Key))
                {
                    server.Receive(devices[member - 1], answer);
                }

                messages = server.CloseStep();
            });
        }

        Array.ForEach(others, other => other.Dispose());
        return server.Sum is null
            ? throw new InvalidOperationException($"The group of {shape} was abandoned: {server.AbandonReason}")
            : GroupCost.Of(
                shape, roll!.Topology, clientTime.Cpu.TotalSeconds / measured.Length, serverTime.Cpu.TotalSeconds, traffic, together: 0, rates);
    }

    private static void StandInAnswers(
        ServerStep step,
        GroupShape shape,
        GroupHeader header,
        GroupRoll? roll,
        StandIn[] others,
        int[] measured,
        IReadOnlyDictionary<string, GroupServerMessage> messages,
        Dictionary<(int From, int To), ByteString> sealedByMeasured,
        Dictionary<int, GroupClientMessage> answers)
    {
        HashSet<int> measuredSet = [.. measured];
        ByteString session = roll is null ? ByteString.Empty : ByteString.CopyFrom(roll.Session.Bytes);
        Dictionary<int, StandIn> byNumber = others.ToDictionary(other => other.Number);
        byte[] noise = step == ServerStep.CollectingInputs
            ? RandomNumberGenerator.GetBytes(FieldVector.PackedLengthBytes(header.FieldCount, header.WidthBits))
            : [];
        byte[] statement = step == ServerStep.CollectingSignatures
            ? SignedStatements.Survivors(roll!.Session, Survivors(shape))
            : [];
        if (noise.Length > 0 && header.FieldCount * (long)header.WidthBits % 8 != 0)
        {
            noise[^1] = 0;
        }

        foreach (StandIn other in others)
        {
            if (step >= ServerStep.CollectingInputs && shape.Drops(other.Number) || !messages.ContainsKey(EnrolledMembers.DeviceOf(other.Number)))
            {
                continue;
            }

            GroupClientMessage answer = step switch
            {
                ServerStep.CollectingKeys => other.Advertise(header),
                ServerStep.CollectingShares => other.Share(roll!, measuredSet),
                ServerStep.CollectingInputs => new GroupClientMessage { Input = new MaskedInput { Fields = UnsafeByteOperations.UnsafeWrap(noise) } },
                ServerStep.CollectingSignatures => new GroupClientMessage { Signature = new SurvivorSignature { Signature = other.Sign(statement) } },
                _ => new GroupClientMessage { Unmasking = Unmask(other, shape, roll!, byNumber, sealedByMeasured) },
            };
            answer.SessionId = step == ServerStep.CollectingKeys ? ByteString.Empty : session;
            answers.Add(other.Number, answer);
        }
    }

    private static UnmaskingShares Unmask(
        StandIn giver, GroupShape shape, GroupRoll roll, Dictionary<int, StandIn> byNumber, Dictionary<(int From, int To), ByteString> sealedByMeasured)
    {
        UnmaskingShares shares = new();
        byte[] share = new byte[ShamirLimbs.ShareBytes];
        foreach (int member in roll.Topology.HoldersOf(giver.Number))
        {
            bool survives = !shape.Drops(member);
            if (byNumber.TryGetValue(member, out StandIn? owner))
            {
                ShamirLimbs.WriteShare(owner.ShareFor(giver.Number, survives), share);
            }
            else
            {
                byte[] pair = giver.Open(roll, member, sealedByMeasured[(member, giver.Number)]);
                (survives ? SharePair.SeedShare(pair) : SharePair.KeyShare(pair)).CopyTo(share);
            }

            UnmaskingShare entry = new() { Member = (uint)member };
            if (survives)
            {
                entry.SeedShare = ByteString.CopyFrom(share);
            }
            else
            {
                entry.KeyShare = ByteString.CopyFrom(share);
            }

            shares.Shares.Add(entry);
        }

        return shares;
    }

    private static MemberSet Survivors(GroupShape shape) =>
        MemberSet.Of(Enumerable.Range(1, shape.Members).Where(member => !shape.Drops(member)), shape.Members);

    private static GroupRoll RollOf(GroupHeader header, GroupServerMessage message) => new(
        header,
        [.. message.Roster.Members.Select(entry => new GroupMember(entry.DeviceId, entry.MaskKey.Memory, entry.ChannelKey.Memory, entry.Signature.Memory))]);
}
