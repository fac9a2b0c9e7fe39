using Federated.Server.SecureAggregation;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.Tests.SecureAggregation;

public sealed class UnmaskingTests
{
    // A wrong share of a malicious member must not spoil the sum unseen.
    [Fact]
    public void Close_WrongSeedShareAndNobodyToSpare_IsAbandonedByName()
    {
        using GroupScene scene = new(4);
        Answer(scene, scene.Until(5, device => device != 4), Spoil(2));
        Assert.Equal(ServerStep.Abandoned, scene.Server.Step);
        Assert.Contains("The seed of member 1", scene.Server.AbandonReason, StringComparison.Ordinal);
    }

    // t = 7 of 10: without member 1 the last seven are right; 4 to 7 are among the first seven and among the last; 8 is not needed.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(8)]
    public void Close_WrongSharesWithMembersToSpare_IsTheExactSum(int spoiler)
    {
        using GroupScene scene = new(10);
        Answer(scene, scene.Until(5), Spoil(spoiler));
        scene.DemandSumOf(Enumerable.Range(1, 10));

        // Who gave them is seen where they were in the way, and nobody else is named.
        string? named = spoiler == 8 ? null : $"Shares that do not fit were given by member {spoiler} ({GroupScene.Id(spoiler)}) of 10 secrets.";
        Assert.Equal(named, scene.Server.Sum!.WrongShares);
    }

    [Fact]
    public void Close_WrongSharesOfDropoutInTheMiddle_IsTheExactSum()
    {
        using GroupScene scene = new(10);
        Dictionary<string, GroupServerMessage> messages = scene.Step(scene.Until(3), device => device != 9);
        Answer(scene, scene.Step(messages), Spoil(5));
        scene.DemandSumOf(Enumerable.Range(1, 10).Where(device => device != 9));
    }

    [Fact]
    public void Close_TwoGiveWrongSharesInTheMiddle_IsAbandonedAndSaysThatOthersMayBeAtFault()
    {
        using GroupScene scene = new(10);
        Answer(scene, scene.Until(5), Spoil(4) + Spoil(5));
        Assert.Equal(ServerStep.Abandoned, scene.Server.Step);
        Assert.Contains("Some were given wrong, or this member sealed them wrong.", scene.Server.AbandonReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Close_WrongKeyShare_IsSeenByTheAdvertisedKey()
    {
        using GroupScene scene = new(4);
        Dictionary<string, GroupServerMessage> messages = scene.Step(scene.Until(3), device => device != 4);
        messages = scene.Step(messages);
        Answer(scene, messages, Spoil(3));
        Assert.Equal(ServerStep.Abandoned, scene.Server.Step);
    }

    [Fact]
    public void Receive_BothKindsOfShareOfOneMember_IsRefused()
    {
        using GroupScene scene = new(5);
        Dictionary<string, GroupServerMessage> messages = scene.Until(5);
        GroupClientMessage answer = scene.Client(1).Receive(messages[GroupScene.Id(1)]);

        GroupClientMessage both = answer.Clone();
        both.Unmasking.Shares.Add(new UnmaskingShare { Member = 2, KeyShare = ByteString.CopyFrom(new byte[ShamirLimbs.ShareBytes]) });
        Assert.Equal(MemberOutcome.Malformed, scene.Send(1, both).Outcome);

        GroupClientMessage wrong = answer.Clone();
        UnmaskingShare second = wrong.Unmasking.Shares.Single(share => share.Member == 2);
        second.KeyShare = second.SeedShare;
        Assert.Equal(MemberOutcome.Malformed, scene.Send(1, wrong).Outcome);

        GroupClientMessage missing = answer.Clone();
        missing.Unmasking.Shares.RemoveAt(0);
        Assert.Equal(MemberOutcome.Malformed, scene.Send(1, missing).Outcome);

        GroupClientMessage stranger = answer.Clone();
        stranger.Unmasking.Shares[0].Member = 77;
        Assert.Equal(MemberOutcome.Malformed, scene.Send(1, stranger).Outcome);

        Assert.Equal(MemberOutcome.Accepted, scene.Send(1, answer).Outcome);
        Assert.Equal(MemberOutcome.Duplicate, scene.Send(1, answer).Outcome);
    }

    [Fact]
    public void IsStepSufficient_ThresholdReached_BeforeEveryoneAnswers()
    {
        using GroupScene scene = new(5);
        Dictionary<string, GroupServerMessage> messages = scene.Until(5);
        for (int device = 1; device <= 4; device++)
        {
            Assert.False(scene.Server.IsStepSufficient);
            scene.Send(device, scene.Client(device).Receive(messages[GroupScene.Id(device)]));
        }

        Assert.True(scene.Server.IsStepSufficient);
        Assert.False(scene.Server.IsStepComplete);
        scene.Server.CloseStep();
        scene.DemandSumOf(1, 2, 3, 4, 5);
    }

    private static void Answer(GroupScene scene, Dictionary<string, GroupServerMessage> messages, Action<int, GroupClientMessage> change)
    {
        for (int device = 1; device <= scene.Ids.Length; device++)
        {
            if (messages.TryGetValue(GroupScene.Id(device), out GroupServerMessage? message))
            {
                GroupClientMessage answer = scene.Client(device).Receive(message);
                change(device, answer);
                Assert.Equal(MemberOutcome.Accepted, scene.Send(device, answer).Outcome);
            }
        }

        scene.Server.CloseStep();
    }

    private static Action<int, GroupClientMessage> Spoil(int spoiler) => (device, answer) =>
    {
        foreach (UnmaskingShare share in answer.Unmasking.Shares.Where(_ => device == spoiler))
        {
            byte[] bytes = share.HasSeedShare ? share.SeedShare.ToByteArray() : share.KeyShare.ToByteArray();
            bytes[^4] ^= 1;
            if (share.HasSeedShare)
            {
                share.SeedShare = ByteString.CopyFrom(bytes);
            }
            else
            {
                share.KeyShare = ByteString.CopyFrom(bytes);
            }
        }
    };
}
