using Federated.Server.SecureAggregation;
using Federated.Shared.Models;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Federated.Shared.SecureAggregation.Client;
using Google.Protobuf;

namespace Federated.Server.Tests.SecureAggregation;

/// <summary>What a client refuses. Each test plays a server that cheats in one way and stands for one check.</summary>
public sealed class ClientRefusalTests
{
    [Fact]
    public void Invitation_NotSignedByTheServer_IsRefused()
    {
        using GroupScene scene = new(4);
        using DeviceSigningKey other = DeviceSigningKey.Create();
        GroupServerMessage invitation = GroupScene.Wire(scene.Server.Invitation);
        invitation.Invitation.Signature = ByteString.CopyFrom(other.Sign(SignedStatements.Header(invitation.Invitation.Header.Span)));
        Refuses(scene.Client(1), invitation, GroupRefusalReason.Header);
    }

    // The server may not choose a cohort so small that its sum says something about one device.
    [Fact]
    public void Invitation_ServerChosenTinyCohort_IsRefused()
    {
        using GroupScene scene = new(4, header => header with { MinMembers = 2 });
        Refuses(scene.Client(1), scene.Server.Invitation, GroupRefusalReason.Roster);
    }

    [Fact]
    public void Invitation_EarlierRound_IsRefused()
    {
        using GroupScene scene = new(4, header => header with { Round = 2 });
        Refuses(scene.Client(1), scene.Server.Invitation, GroupRefusalReason.Header);
    }

    [Fact]
    public void Invitation_OtherJobPlanModelOrGroup_IsRefused()
    {
        foreach (Func<GroupHeader, GroupHeader> change in new Func<GroupHeader, GroupHeader>[]
        {
            header => header with { JobId = "job-2" },
            header => header with { Group = 1 },
        })
        {
            using GroupScene scene = new(4, change);
            Refuses(scene.Client(1), scene.Server.Invitation, GroupRefusalReason.Header);
        }

        using GroupScene models = new(4, modelOf: _ => ContentHash.Of([8]));
        Refuses(models.Client(1), models.Server.Invitation, GroupRefusalReason.Header);
    }

    [Fact]
    public void Invitation_WeakNeighbourGraph_IsRefused()
    {
        using GroupScene scene = new(10, header => header with { Topology = GroupTopologyKind.NeighbourGraph, AdversarialPermille = 4, DropoutPermille = 50 });
        Refuses(scene.Client(1), scene.Server.Invitation, GroupRefusalReason.Header);
        using SecureAggregationClient strict = new(scene.ClientTerms(1) with { AcceptsNeighbourGraph = false }, Input(scene));
        Refuses(strict, scene.Server.Invitation, GroupRefusalReason.Header);
    }

    // Overflow is refused before anything is masked.
    [Fact]
    public void Invitation_FieldBeyondItsRange_IsRefused()
    {
        using GroupScene scene = new(4);
        uint[] fields = new uint[20];
        fields[19] = 21;
        using SecureAggregationClient client = new(scene.ClientTerms(1), new ClientInput(FieldVector.Of(fields, 16), scene.Header.Model));
        Refuses(client, scene.Server.Invitation, GroupRefusalReason.Width);
    }

    [Fact]
    public void Invitation_ScalarFieldBeyondItsDigits_IsRefused()
    {
        using GroupScene scene = new(4, header => header with { ScalarFieldCount = 1 });
        uint[] fields = new uint[20];
        fields[19] = (uint)scene.Header.MaxScalarField + 1;
        using SecureAggregationClient client = new(scene.ClientTerms(1), new ClientInput(FieldVector.Of(fields, 16), scene.Header.Model));
        Refuses(client, scene.Server.Invitation, GroupRefusalReason.Width);
    }

    [Fact]
    public void Roster_ForgedKeys_AreRefused() => RefusesRoster(GroupRefusalReason.Signature, roster =>
    {
        using AgreementKeyPair evil = AgreementKeyPair.Create();
        roster.Members[2].ChannelKey = ByteString.CopyFrom(evil.PublicKey.Bytes);
    });

    [Fact]
    public void Roster_KeysSignedForAnotherHeader_AreRefused() => RefusesRoster(GroupRefusalReason.Signature, roster =>
    {
        using AgreementKeyPair mask = AgreementKeyPair.Create();
        using AgreementKeyPair channel = AgreementKeyPair.Create();
        RosterEntry entry = roster.Members[2];
        entry.MaskKey = ByteString.CopyFrom(mask.PublicKey.Bytes);
        entry.ChannelKey = ByteString.CopyFrom(channel.PublicKey.Bytes);
        entry.Signature = ByteString.CopyFrom(
            GroupScene.KeyOf(3).Sign(SignedStatements.Keys(ContentHash.Of([7]), entry.DeviceId, mask.PublicKey, channel.PublicKey)));
    });

    [Fact]
    public void Roster_DeviceThatIsNotEnrolled_IsRefused()
    {
        using GroupScene scene = new(5);
        Dictionary<string, GroupServerMessage> messages = scene.Until(2);
        scene.Devices.Remove(4);
        Refuses(scene.Client(1), messages[GroupScene.Id(1)], GroupRefusalReason.Signature);
    }

    [Fact]
    public void Roster_SmallerThanTheHeaderAllows_IsRefused() => RefusesRoster(GroupRefusalReason.Roster, roster =>
    {
        roster.Members.RemoveAt(4);
        roster.Members.RemoveAt(3);
        roster.Members.RemoveAt(2);
    });

    [Fact]
    public void Roster_LargerThanTheHeaderAllows_IsRefused() =>
        RefusesRoster(GroupRefusalReason.Roster, roster => roster.Members.Add(new RosterEntry(roster.Members[4]) { DeviceId = "device-00009" }));

    [Fact]
    public void Roster_MemberTwice_IsRefused() => RefusesRoster(GroupRefusalReason.Roster, roster => roster.Members[4] = roster.Members[3].Clone());

    [Fact]
    public void Roster_AnotherOrder_IsRefused() =>
        RefusesRoster(GroupRefusalReason.Roster, roster => (roster.Members[3], roster.Members[4]) = (roster.Members[4], roster.Members[3]));

    [Fact]
    public void Roster_WithoutTheClient_IsRefused() => RefusesRoster(GroupRefusalReason.Roster, roster => roster.Members.RemoveAt(0));

    [Fact]
    public void Roster_NoPoint_IsRefused() => RefusesRoster(GroupRefusalReason.Roster, roster => roster.Members[1].MaskKey = ByteString.CopyFrom(new byte[33]));

    // The session is computed, not taken: another one of the right length is still another one.
    [Fact]
    public void EveryStep_SessionOfTheRightLength_IsRefused()
    {
        for (int round = 2; round <= 5; round++)
        {
            using GroupScene scene = new(5);
            GroupServerMessage message = scene.Until(round)[GroupScene.Id(1)];
            byte[] session = message.SessionId.ToByteArray();
            session[^1] ^= 1;
            message = GroupScene.Wire(message);
            message.SessionId = ByteString.CopyFrom(session);
            Refuses(scene.Client(1), message, GroupRefusalReason.WrongSession);
        }
    }

    [Fact]
    public void Shares_ReplayedFromAnEarlierRun_AreRefused()
    {
        using GroupScene earlier = new(5);
        using GroupScene scene = new(5);
        GroupServerMessage old = GroupScene.Wire(earlier.Until(3)[GroupScene.Id(1)]);
        GroupServerMessage fresh = scene.Until(3)[GroupScene.Id(1)];
        Refuses(new GroupScene(5).Client(1), old, GroupRefusalReason.UnexpectedMessage);

        // Even under this session's name they do not open.
        old.SessionId = fresh.SessionId;
        Refuses(scene.Client(1), old, GroupRefusalReason.Share);
    }

    [Fact]
    public void Shares_Damaged_AreRefused() => RefusesShares(GroupRefusalReason.Share, shares =>
    {
        byte[] bytes = shares.Shares[1].Ciphertext.ToByteArray();
        bytes[^1] ^= 1;
        shares.Shares[1].Ciphertext = ByteString.CopyFrom(bytes);
    });

    [Fact]
    public void Shares_SenderSwapped_AreRefused() => RefusesShares(GroupRefusalReason.Share, shares =>
        (shares.Shares[0].Ciphertext, shares.Shares[1].Ciphertext) = (shares.Shares[1].Ciphertext, shares.Shares[0].Ciphertext));

    [Fact]
    public void Shares_MemberTwice_AreRefused() => RefusesShares(GroupRefusalReason.Share, shares => shares.Shares.Add(shares.Shares[0].Clone()));

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(6u)]
    [InlineData(uint.MaxValue)]
    public void Shares_FromAStrangerOrItself_AreRefused(uint sender) => RefusesShares(GroupRefusalReason.Share, shares => shares.Shares[0].Member = sender);

    [Fact]
    public void Shares_BelowTheThreshold_AreRefused() => RefusesShares(GroupRefusalReason.Threshold, shares =>
    {
        // t = 4 of 5: with itself three hold shares.
        shares.Shares.RemoveAt(3);
        shares.Shares.RemoveAt(2);
    });

    [Fact]
    public void Survivors_WithoutTheClient_AreRefused() => RefusesSurvivors(GroupRefusalReason.Survivors, [2, 3, 4, 5]);

    [Fact]
    public void Survivors_BelowTheThreshold_AreRefused() => RefusesSurvivors(GroupRefusalReason.Threshold, [1, 2, 3]);

    [Fact]
    public void Survivors_BytesOfAnotherGroupSize_AreRefused()
    {
        using GroupScene scene = new(5);
        GroupServerMessage message = GroupScene.Wire(scene.Until(4)[GroupScene.Id(1)]);
        message.Survivors.Members = ByteString.CopyFrom(0xff);
        Refuses(scene.Client(1), message, GroupRefusalReason.Survivors);
    }

    [Fact]
    public void Survivors_MemberThatNeverShared_AreRefused()
    {
        using GroupScene scene = new(6);
        Dictionary<string, GroupServerMessage> messages = scene.Step(scene.Step(scene.Until(2), device => device != 6));
        GroupServerMessage message = GroupScene.Wire(messages[GroupScene.Id(1)]);
        message.Survivors.Members = ByteString.CopyFrom(MemberSet.Of([1, 2, 3, 4, 5, 6], 6).Bytes);
        Refuses(scene.Client(1), message, GroupRefusalReason.Survivors);
    }

    // Without this round a server tells one half that a member survived and the other half that it dropped out, and gets both kinds of its shares.
    [Fact]
    public void Consistency_OthersWereToldOtherSurvivors_IsRefused()
    {
        using GroupScene scene = new(5);
        Dictionary<string, GroupServerMessage> messages = scene.Until(4);
        GroupServerMessage lie = GroupScene.Wire(messages[GroupScene.Id(1)]);
        lie.Survivors.Members = ByteString.CopyFrom(MemberSet.Of([1, 2, 3, 4], 5).Bytes);
        GroupServerMessage proof = new() { SessionId = lie.SessionId, Consistency = new ConsistencyProof() };
        Assert.NotNull(scene.Client(1).Receive(lie).Signature);
        for (int device = 2; device <= 4; device++)
        {
            ByteString signature = scene.Client(device).Receive(messages[GroupScene.Id(device)]).Signature.Signature;
            proof.Consistency.Signatures.Add(new MemberSignature { Member = (uint)device, Signature = signature });
        }

        Refuses(scene.Client(1), proof, GroupRefusalReason.Signature);
    }

    [Fact]
    public void Consistency_TooFewSignatures_IsRefused() => RefusesProof(GroupRefusalReason.Threshold, proof => proof.Signatures.RemoveAt(0));

    [Fact]
    public void Consistency_SignatureTwice_IsRefused() => RefusesProof(GroupRefusalReason.Signature, proof => proof.Signatures[1] = proof.Signatures[0].Clone());

    [Fact]
    public void Consistency_OwnSignatureAsAnothers_IsRefused() => RefusesProof(GroupRefusalReason.Signature, proof => proof.Signatures[0].Member = 1);

    [Fact]
    public void Consistency_SignatureDamaged_IsRefused() => RefusesProof(GroupRefusalReason.Signature, proof =>
    {
        byte[] bytes = proof.Signatures[0].Signature.ToByteArray();
        bytes[5] ^= 1;
        proof.Signatures[0].Signature = ByteString.CopyFrom(bytes);
    });

    // Keys and shares are used once: whoever asks again, with the same or another set, gets nothing.
    [Fact]
    public void Unmasking_AskedTwice_GivesNothing()
    {
        using GroupScene scene = new(5);
        GroupServerMessage message = scene.Until(5)[GroupScene.Id(1)];
        Assert.NotNull(scene.Client(1).Receive(message).Unmasking);
        Assert.Equal(ClientStep.Completed, scene.Client(1).Step);
        GroupClientMessage again = scene.Client(1).Receive(message);
        Assert.Null(again.Unmasking);
        Assert.Equal(GroupRefusalReason.UnexpectedMessage, again.Refusal.Reason);
        Assert.Equal(ClientStep.Completed, scene.Client(1).Step);
    }

    [Fact]
    public void Unmasking_EveryMember_IsGivenWithOneKindOfShare()
    {
        using GroupScene scene = new(6);
        Dictionary<string, GroupServerMessage> messages = scene.Step(scene.Step(scene.Until(3), device => device != 6));
        UnmaskingShares shares = scene.Client(1).Receive(messages[GroupScene.Id(1)]).Unmasking;
        Assert.Equal(new uint[] { 1, 2, 3, 4, 5, 6 }, shares.Shares.Select(share => share.Member).Order());
        Assert.All(shares.Shares, share => Assert.Equal(
            share.Member == 6 ? UnmaskingShare.ShareOneofCase.KeyShare : UnmaskingShare.ShareOneofCase.SeedShare, share.ShareCase));
    }

    [Theory]
    [InlineData(ClientStep.AwaitingInvitation)]
    [InlineData(ClientStep.AwaitingRoster)]
    [InlineData(ClientStep.AwaitingShares)]
    [InlineData(ClientStep.AwaitingSurvivors)]
    [InlineData(ClientStep.AwaitingConsistency)]
    [InlineData(ClientStep.Completed)]
    [InlineData(ClientStep.Aborted)]
    public void EveryStep_EveryOtherMessage_EndsTheClientsPart(ClientStep step)
    {
        for (int other = 0; other < 6; other++)
        {
            using GroupScene scene = new(4);
            using GroupScene donor = new(4);
            GroupServerMessage[] messages =
            [
                donor.Server.Invitation,
                .. Enumerable.Range(2, 4).Select(round => new GroupScene(4).Until(round)[GroupScene.Id(1)]),
                new GroupServerMessage(),
            ];
            SecureAggregationClient client = scene.Client(1);
            Bring(scene, client, step);
            if (other == (int)step && step < ClientStep.Completed)
            {
                continue;
            }

            GroupClientMessage answer = client.Receive(messages[other]);
            Assert.Equal(GroupRefusalReason.UnexpectedMessage, answer.Refusal.Reason);
            Assert.Equal(step == ClientStep.Completed ? ClientStep.Completed : ClientStep.Aborted, client.Step);
        }
    }

    [Fact]
    public void Receive_AfterARefusal_EveryMessageIsRefused()
    {
        using GroupScene scene = new(5);
        GroupServerMessage good = scene.Until(5)[GroupScene.Id(1)];
        Refuses(scene.Client(1), new GroupServerMessage(), GroupRefusalReason.UnexpectedMessage);
        Assert.Null(scene.Client(1).Receive(good).Unmasking);
        Assert.Equal(GroupRefusalReason.UnexpectedMessage, scene.Client(1).Refusal!.Reason);
    }

    private static ClientInput Input(GroupScene scene) => new(new FieldVector(scene.Header.FieldCount, scene.Header.WidthBits), scene.Header.Model);

    private static void Bring(GroupScene scene, SecureAggregationClient client, ClientStep step)
    {
        if (step == ClientStep.Aborted)
        {
            client.Receive(new GroupServerMessage());
            return;
        }

        int round = (int)step + 1;
        if (round >= 2)
        {
            Dictionary<string, GroupServerMessage> messages = scene.Until(Math.Min(round, 5));
            if (step == ClientStep.Completed)
            {
                client.Receive(messages[GroupScene.Id(1)]);
            }
        }

        Assert.Equal(step, client.Step);
    }

    private static void RefusesRoster(GroupRefusalReason reason, Action<GroupRoster> change)
    {
        using GroupScene scene = new(5);
        GroupServerMessage message = GroupScene.Wire(scene.Until(2)[GroupScene.Id(1)]);
        change(message.Roster);

        // A cheat names the session that goes with its roster.
        GroupMember[] members = [.. message.Roster.Members.Select(entry =>
            new GroupMember(entry.DeviceId, entry.MaskKey.Memory, entry.ChannelKey.Memory, entry.Signature.Memory))];
        message.SessionId = ByteString.CopyFrom(SessionId.Of(scene.Header, members).Bytes);
        Refuses(scene.Client(1), message, reason);
    }

    private static void RefusesShares(GroupRefusalReason reason, Action<IncomingShares> change)
    {
        using GroupScene scene = new(5);
        GroupServerMessage message = GroupScene.Wire(scene.Until(3)[GroupScene.Id(1)]);
        change(message.Shares);
        Refuses(scene.Client(1), message, reason);
    }

    private static void RefusesSurvivors(GroupRefusalReason reason, int[] survivors)
    {
        using GroupScene scene = new(5);
        GroupServerMessage message = GroupScene.Wire(scene.Until(4)[GroupScene.Id(1)]);
        message.Survivors.Members = ByteString.CopyFrom(MemberSet.Of(survivors, 5).Bytes);
        Refuses(scene.Client(1), message, reason);
    }

    private static void RefusesProof(GroupRefusalReason reason, Action<ConsistencyProof> change)
    {
        using GroupScene scene = new(5);
        GroupServerMessage message = GroupScene.Wire(scene.Until(5)[GroupScene.Id(1)]);
        change(message.Consistency);
        Refuses(scene.Client(1), message, reason);
    }

    private static void Refuses(SecureAggregationClient client, GroupServerMessage message, GroupRefusalReason reason)
    {
        GroupClientMessage answer = client.Receive(message);
        Assert.True(answer.Refusal is not null, $"the client answered {answer.StepCase}");
        Assert.Equal(reason, answer.Refusal.Reason);
        Assert.Equal(ClientStep.Aborted, client.Step);
        Assert.Equal(answer.Refusal, client.Refusal);
    }
}
