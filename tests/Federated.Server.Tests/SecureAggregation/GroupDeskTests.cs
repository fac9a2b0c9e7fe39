using Federated.Server.SecureAggregation;
using Federated.Shared.Protos;

namespace Federated.Server.Tests.SecureAggregation;

/// <summary>What devices of one group are told, in and out of turn.</summary>
public sealed class GroupDeskTests
{
    private const int Devices = 5;

    [Fact]
    public void StandingOf_EveryStep_TellsMembersTheNextMessageAndInTheEndThatTheyCount()
    {
        using Scene scene = new();
        scene.RunTo(ServerStep.Finished);
        Assert.Equal(GroupScene.Id(1), scene.Desk.Sum!.Contributors[0]);
        for (int device = 1; device <= Devices; device++)
        {
            Assert.Equal(GroupStanding.Counted, scene.Desk.StandingOf(GroupScene.Id(device), GroupStep.Invitation)!.Standing);
        }

        Assert.Equal(GroupStanding.LeftOut, scene.Desk.StandingOf("stranger", GroupStep.Invitation)!.Standing);
    }

    [Fact]
    public void StandingOf_StepThatIsNotThereYet_IsNothing()
    {
        using Scene scene = new();
        Assert.Equal(GroupStanding.Message, scene.Desk.StandingOf(GroupScene.Id(1), GroupStep.Invitation)!.Standing);
        Assert.Null(scene.Desk.StandingOf(GroupScene.Id(1), GroupStep.Roster));
        Assert.Equal(GroupStanding.LeftOut, scene.Desk.StandingOf("stranger", GroupStep.Invitation)!.Standing);
    }

    [Fact]
    public void Take_TheSameAnswerAgain_ChangesNothing()
    {
        using Scene scene = new();
        GroupClientMessage keys = scene.Answer(1, GroupStep.Invitation);
        Assert.Null(scene.Desk.Take(GroupScene.Id(1), keys));
        Assert.Null(scene.Desk.Take(GroupScene.Id(1), keys));
        Assert.Single(scene.Desk.Advertised);
        scene.RunTo(ServerStep.CollectingShares, from: 2);

        // The answer to it was lost, and the step is over.
        Assert.Null(scene.Desk.Take(GroupScene.Id(1), keys));
        Assert.Equal(Devices, scene.Desk.Advertised.Count);
    }

    [Fact]
    public void Take_AnswerToALaterStep_NamesTheAnswerThatIsLacking()
    {
        using Scene scene = new();
        scene.RunTo(ServerStep.CollectingShares);
        GroupReply reply = scene.Desk.Take(GroupScene.Id(1), new GroupClientMessage { Signature = new SurvivorSignature() })!;
        Assert.Equal((GroupStanding.Behind, (int)ServerStep.CollectingShares), (reply.Standing, (int)reply.Lacks));
    }

    [Fact]
    public void Take_AnswerToALaterStepWhileKeysAreCollected_SaysThatTheGroupBeganAgain()
    {
        using Scene scene = new();
        Assert.Equal(GroupStanding.Restarted, scene.Desk.Take(GroupScene.Id(1), new GroupClientMessage { Shares = new OutgoingShares() })!.Standing);
    }

    [Fact]
    public void Leave_AMember_CompletesTheStepWithoutIt()
    {
        using Scene scene = new();
        scene.RunTo(ServerStep.CollectingInputs);
        for (int device = 1; device < Devices; device++)
        {
            Assert.Equal(MemberOutcome.Accepted, scene.Desk.TakeInput(GroupScene.Id(device), scene.Answer(device, GroupStep.Shares)).Outcome);
        }

        Assert.False(scene.Desk.IsStepComplete);
        scene.Desk.Leave(GroupScene.Id(Devices));
        scene.Desk.Leave("stranger");
        Assert.True(scene.Desk.IsStepComplete);
        scene.Desk.CloseStep();
        Assert.Equal(GroupStanding.LeftOut, scene.Desk.StandingOf(GroupScene.Id(Devices), GroupStep.Survivors)!.Standing);
        scene.RunTo(ServerStep.Finished, devices: Devices - 1);
        Assert.Equal(Devices - 1, scene.Desk.Sum!.Contributors.Count);
        Assert.Equal(GroupStanding.LeftOut, scene.Desk.StandingOf(GroupScene.Id(Devices), GroupStep.Consistency)!.Standing);
    }

    // Told that it was left out, it would keep for later what is in the sum already.
    [Fact]
    public void StandingOf_SurvivorThatMissedAStep_WaitsAndCounts()
    {
        using Scene scene = new();
        scene.RunTo(ServerStep.CollectingSignatures);
        scene.RunTo(ServerStep.CollectingUnmasking, devices: Devices - 1);
        Assert.Null(scene.Desk.StandingOf(GroupScene.Id(Devices), GroupStep.Survivors));
        Assert.Equal(GroupStanding.LeftOut, scene.Desk.StandingOf("stranger", GroupStep.Survivors)!.Standing);
        scene.RunTo(ServerStep.Finished, devices: Devices - 1);
        Assert.Equal(GroupStanding.Counted, scene.Desk.StandingOf(GroupScene.Id(Devices), GroupStep.Survivors)!.Standing);
    }

    [Fact]
    public void TakeInput_OutOfTurnOrAnotherMessage_IsRefused()
    {
        using Scene scene = new();
        Assert.Equal(MemberOutcome.Unexpected, scene.Desk.TakeInput(GroupScene.Id(1), new GroupClientMessage { Input = new MaskedInput() }).Outcome);
        scene.RunTo(ServerStep.CollectingInputs);
        Assert.Equal(MemberOutcome.Malformed, scene.Desk.TakeInput(GroupScene.Id(1), new GroupClientMessage { Signature = new SurvivorSignature() }).Outcome);
        GroupClientMessage input = scene.Answer(1, GroupStep.Shares);
        scene.Desk.Abandon("enough");
        Assert.Equal(MemberOutcome.Left, scene.Desk.TakeInput(GroupScene.Id(1), input).Outcome);
    }

    [Fact]
    public void Abandon_OpenGroup_TellsEveryoneTheReason()
    {
        using Scene scene = new();
        scene.Desk.Abandon("the round closed");
        scene.Desk.Abandon("a second reason");
        Assert.True(scene.Desk.IsOver);
        Assert.Null(scene.Desk.ToDocument());
        GroupReply reply = scene.Desk.StandingOf(GroupScene.Id(1), GroupStep.Invitation)!;
        Assert.Equal((GroupStanding.Abandoned, "the round closed"), (reply.Standing, reply.Detail));
        Assert.Null(scene.Desk.Take(GroupScene.Id(1), new GroupClientMessage { Keys = new KeyAdvertisement() }));
    }

    [Fact]
    public void Refuse_FinishedGroup_ThrowsTheSumAway()
    {
        using Scene scene = new();
        scene.RunTo(ServerStep.Finished);
        scene.Desk.Refuse("impossible statistics");
        Assert.Null(scene.Desk.Sum);
        Assert.Equal(GroupStanding.Abandoned, scene.Desk.StandingOf(GroupScene.Id(1), GroupStep.Invitation)!.Standing);
    }

    [Fact]
    public void Restore_AmidInputs_TellsTheSharesAgainAndTakesTheRest()
    {
        using Scene scene = new();
        scene.RunTo(ServerStep.CollectingInputs);
        GroupClientMessage[] inputs = [.. Enumerable.Range(1, Devices).Select(device => scene.Answer(device, GroupStep.Shares))];
        scene.Desk.TakeInput(GroupScene.Id(1), inputs[0]);
        scene.Desk = GroupDesk.Restore(scene.Desk.ToDocument()!, scene.Desk.Outbox, scene.Terms);

        Assert.Equal(ServerStep.CollectingInputs, scene.Desk.Step);
        Assert.Equal(GroupStanding.Message, scene.Desk.StandingOf(GroupScene.Id(2), GroupStep.Shares)!.Standing);
        Assert.Equal(MemberOutcome.Duplicate, scene.Desk.TakeInput(GroupScene.Id(1), inputs[0]).Outcome);
        for (int device = 2; device <= Devices; device++)
        {
            Assert.Equal(MemberOutcome.Accepted, scene.Desk.TakeInput(GroupScene.Id(device), inputs[device - 1]).Outcome);
        }

        scene.Desk.CloseStep();
        scene.RunTo(ServerStep.Finished);
        Assert.Equal(Devices, scene.Desk.Sum!.Contributors.Count);
    }

    /// <summary>A desk over a scene's server; its clients answer what the desk tells them.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly GroupScene _group = new(Devices);

        public Scene() => Desk = new GroupDesk(_group.Server, _group.Ids);

        public GroupDesk Desk { get; set; }

        public ServerTerms Terms => _group.Terms;

        public GroupClientMessage Answer(int device, GroupStep step) => _group.Client(device).Receive(Desk.StandingOf(GroupScene.Id(device), step)!.Message);

        public void RunTo(ServerStep step, int from = 1, int devices = Devices)
        {
            int first = from;
            while (Desk.Step < step)
            {
                GroupStep told = (GroupStep)(int)Desk.Step;
                for (int device = first; device <= devices; device++)
                {
                    GroupClientMessage answer = Answer(device, told);
                    if (Desk.Step == ServerStep.CollectingInputs)
                    {
                        Assert.Equal(MemberOutcome.Accepted, Desk.TakeInput(GroupScene.Id(device), answer).Outcome);
                    }
                    else
                    {
                        Assert.Null(Desk.Take(GroupScene.Id(device), answer));
                    }
                }

                first = 1;
                Desk.CloseStep();
            }
        }

        public void Dispose() => _group.Dispose();
    }
}
