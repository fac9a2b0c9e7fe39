using Federated.Server.SecureAggregation;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.Tests.SecureAggregation;

public sealed class ServerRefusalTests
{
    [Fact]
    public void Keys_ForgedReusedForeignOrDamaged_AreRefused()
    {
        using GroupScene scene = new(4);
        GroupClientMessage first = scene.Client(1).Receive(scene.Server.Invitation);
        GroupClientMessage second = scene.Client(2).Receive(scene.Server.Invitation);
        Assert.Equal(MemberOutcome.Malformed, scene.Send(2, first).Outcome);
        Assert.Equal(MemberOutcome.Accepted, scene.Send(1, first).Outcome);
        Assert.Equal(MemberOutcome.Duplicate, scene.Send(1, first).Outcome);
        Assert.Equal(MemberOutcome.Unexpected, scene.Server.Receive("stranger", first).Outcome);
        Assert.Equal(MemberOutcome.WrongSession, scene.Send(2, Changed(second, keys => keys.HeaderSha256 = ByteString.CopyFrom(new byte[32]))).Outcome);
        Assert.Equal(MemberOutcome.Malformed, scene.Send(2, Changed(second, keys => keys.MaskKey = ByteString.CopyFrom(new byte[33]))).Outcome);
        Assert.Equal(MemberOutcome.Malformed, scene.Send(2, Changed(second, keys => keys.ChannelKey = keys.MaskKey)).Outcome);
        Assert.Equal(MemberOutcome.Malformed, scene.Send(2, Changed(second, keys => keys.Signature = ByteString.Empty)).Outcome);
        Assert.Equal(MemberOutcome.Unexpected, scene.Send(2, new GroupClientMessage { Input = new MaskedInput() }).Outcome);
        Assert.Equal(MemberOutcome.Accepted, scene.Send(2, second).Outcome);
    }

    // A device that signs another's key as its own would end up subtracting its own mask.
    [Fact]
    public void Keys_AnothersKeySignedAnew_AreRefused()
    {
        using GroupScene scene = new(4);
        GroupClientMessage first = scene.Client(1).Receive(scene.Server.Invitation);
        scene.Send(1, first);
        using AgreementKeyPair channel = AgreementKeyPair.Create();
        Assert.True(AgreementPublicKey.TryRead(first.Keys.MaskKey.Span, out AgreementPublicKey? stolen));
        byte[] signature = GroupScene.KeyOf(2).Sign(SignedStatements.Keys(scene.Header.Hash, GroupScene.Id(2), stolen, channel.PublicKey));
        KeyAdvertisement keys = new(first.Keys) { ChannelKey = ByteString.CopyFrom(channel.PublicKey.Bytes), Signature = ByteString.CopyFrom(signature) };
        MemberReply reply = scene.Send(2, new GroupClientMessage { Keys = keys });
        Assert.Equal(MemberOutcome.Malformed, reply.Outcome);
        Assert.Contains("already", reply.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Shares_WrongRecipientsOrLengths_AreRefused()
    {
        using GroupScene scene = new(4);
        GroupClientMessage answer = scene.Client(1).Receive(scene.Until(2)[GroupScene.Id(1)]);
        Assert.Equal(MemberOutcome.Malformed, Send(scene, answer, shares => shares.Shares.RemoveAt(0)));
        Assert.Equal(MemberOutcome.Malformed, Send(scene, answer, shares => shares.Shares[0].Member = 1));
        Assert.Equal(MemberOutcome.Malformed, Send(scene, answer, shares => shares.Shares[0].Member = uint.MaxValue));
        Assert.Equal(MemberOutcome.Malformed, Send(scene, answer, shares => shares.Shares[0].Member = shares.Shares[1].Member));
        Assert.Equal(MemberOutcome.Malformed, Send(scene, answer, shares => shares.Shares[0].Ciphertext = ByteString.CopyFrom(1)));
        Assert.Equal(MemberOutcome.Malformed, Send(scene, answer, shares => shares.SeedCommitment = ByteString.Empty));
        Assert.Equal(MemberOutcome.Accepted, Send(scene, answer, _ => { }));
    }

    [Fact]
    public void Input_WrongLengthSessionStepOrTwice_IsRefusedAndNotAdded()
    {
        using GroupScene scene = new(4);
        Dictionary<string, GroupServerMessage> messages = scene.Until(3);
        GroupClientMessage answer = scene.Client(1).Receive(messages[GroupScene.Id(1)]);
        GroupClientMessage shorter = answer.Clone();
        shorter.Input.Fields = ByteString.CopyFrom(shorter.Input.Fields.Span[1..]);
        Assert.Equal(MemberOutcome.Malformed, scene.Send(1, shorter).Outcome);
        GroupClientMessage other = answer.Clone();
        other.SessionId = ByteString.CopyFrom(new byte[32]);
        Assert.Equal(MemberOutcome.WrongSession, scene.Send(1, other).Outcome);
        Assert.Equal(MemberOutcome.Unexpected, scene.Send(1, new GroupClientMessage { SessionId = answer.SessionId, Signature = new SurvivorSignature() }).Outcome);
        Assert.Equal(MemberOutcome.Accepted, scene.Send(1, answer).Outcome);
        Assert.Equal(MemberOutcome.Duplicate, scene.Send(1, answer).Outcome);

        // What remains is a plain run: nothing of the refused messages is in the sum.
        messages = scene.Step(messages, device => device != 1);
        messages = scene.Step(messages);
        scene.Step(messages);
        scene.DemandSumOf(1, 2, 3, 4);
    }

    [Fact]
    public void Refusal_OfAMember_CountsAsDropOutAndCompletesTheStep()
    {
        using GroupScene scene = new(5);
        Dictionary<string, GroupServerMessage> messages = scene.Until(3);
        GroupClientMessage refusal = scene.Client(5).Receive(new GroupServerMessage { SessionId = messages[GroupScene.Id(5)].SessionId });
        Assert.Equal(MemberOutcome.Left, scene.Send(5, refusal).Outcome);
        Assert.Equal(MemberOutcome.Unexpected, scene.Send(5, refusal).Outcome);
        for (int device = 1; device <= 4; device++)
        {
            Assert.False(scene.Server.IsStepComplete);
            scene.Send(device, scene.Client(device).Receive(messages[GroupScene.Id(device)]));
        }

        Assert.True(scene.Server.IsStepComplete);
        messages = scene.Step(new Dictionary<string, GroupServerMessage>());
        messages = scene.Step(messages);
        scene.Step(messages);
        scene.DemandSumOf(1, 2, 3, 4);
    }

    [Fact]
    public void Signature_OnOtherSurvivors_IsRefused()
    {
        using GroupScene scene = new(4);
        Dictionary<string, GroupServerMessage> messages = scene.Until(4);
        GroupClientMessage answer = scene.Client(1).Receive(messages[GroupScene.Id(1)]);
        Assert.Equal(MemberOutcome.Malformed, scene.Send(2, answer).Outcome);
        Assert.Equal(MemberOutcome.Accepted, scene.Send(1, answer).Outcome);
    }

    [Fact]
    public void Constructor_ImpossibleHeaderOrTooMany_IsRefused()
    {
        using GroupScene scene = new(4);
        using DeviceSigningKey key = DeviceSigningKey.Create();
        Assert.Throws<ArgumentException>(() => new SecureAggregationServer(scene.Header with { MaxField = 100_000 }, key, scene.Ids, scene.Terms));
        Assert.Throws<ArgumentException>(() => new SecureAggregationServer(scene.Header with { MaxMembers = 3 }, key, scene.Ids, scene.Terms));
    }

    private static GroupClientMessage Changed(GroupClientMessage message, Action<KeyAdvertisement> change)
    {
        GroupClientMessage copy = message.Clone();
        change(copy.Keys);
        return copy;
    }

    private static MemberOutcome Send(GroupScene scene, GroupClientMessage message, Action<OutgoingShares> change)
    {
        GroupClientMessage copy = message.Clone();
        change(copy.Shares);
        return scene.Send(1, copy).Outcome;
    }
}
