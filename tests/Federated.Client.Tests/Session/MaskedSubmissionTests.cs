using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Google.Protobuf;

namespace Federated.Client.Tests.Session;

/// <summary>
/// One update goes into one sum, under keys that were drawn for it: what the session does when a server begins again, asks again, or offers the round
/// once more.
/// </summary>
public sealed class MaskedSubmissionTests
{
    private static readonly LinearRound _round = new()
    {
        Seed = 1,
        ParameterCount = RoundScene.Parameters,
        IndexSet = IndexSetKind.Random,
        SetSize = 16,
        ClipNorm = 1,
        Step = 1e-2,
        WidthBits = 16,
        RotationBlock = 8,
        MinClients = 1,
        MaxClients = 3,
        MaxExamples = 60,
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_GroupBeginsAgainBeforeTheMaskedInput_JoinsWithFreshKeys()
    {
        await using RoundScene scene = await OpenAsync();
        using GroupMates mates = new(scene.Plan);
        List<KeyAdvertisement> keys = [];
        (int uploads, _) = await RunAsync(scene, mates, new MaskedRounds(), request => request.Message?.Keys switch
        {
            null when keys.Count == 0 => mates.Invite(1),
            null => mates.Invite(2),
            { } own when keys.Count == 0 => Note(own, new GroupReply { Standing = GroupStanding.Restarted }),
            { } own => Note(own, new GroupReply { Standing = GroupStanding.Abandoned }),
        });

        Assert.Equal((0, 2), (uploads, keys.Count));
        Assert.NotEqual(keys[0].MaskKey, keys[1].MaskKey);
        Assert.NotEqual(keys[0].ChannelKey, keys[1].ChannelKey);

        GroupReply Note(KeyAdvertisement own, GroupReply reply)
        {
            keys.Add(own);
            return reply;
        }
    }

    [Fact]
    public async Task Run_SameInvitationTwice_IsRefused()
    {
        await using RoundScene scene = await OpenAsync();
        using GroupMates mates = new(scene.Plan);
        (_, Exception? refused) = await RunAsync(scene, mates, new MaskedRounds(), request => request.Message is null
            ? mates.Invite(1)
            : new GroupReply { Standing = GroupStanding.Restarted });
        Assert.Contains("it was answered before", Assert.IsType<RoundAbortException>(refused).Message, StringComparison.Ordinal);
    }

    // A server that lets all but one train to no effect would have that one's update for the sum.
    [Fact]
    public async Task Run_MatesHaveAnotherPlan_IsRefused()
    {
        await using RoundScene scene = await OpenAsync();
        using GroupMates mates = new(scene.Plan with { Training = scene.Plan.Training with { LearningRate = double.Epsilon } });
        (int uploads, Exception? refused) = await RunAsync(scene, mates, new MaskedRounds(), _ => mates.Invite(1));
        Assert.Equal(0, uploads);
        Assert.Contains("its plan is not the one", Assert.IsType<RoundAbortException>(refused).Message, StringComparison.Ordinal);
    }

    // Two masked inputs of one update, in two sums over almost the same members, would tell what the rest held.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_GroupBeginsAgainAfterTheMaskedInput_SendsNoSecondOne(bool invites)
    {
        await using RoundScene scene = await OpenAsync();
        using GroupMates mates = new(scene.Plan);
        MaskedRounds rounds = new();
        GroupReply? roster = null;
        bool sent = false;
        (int uploads, Exception? refused) = await RunAsync(
            scene,
            mates,
            rounds,
            request => request.Message switch
            {
                null when sent => invites ? mates.Invite(2) : new GroupReply { Standing = GroupStanding.Restarted },
                null => mates.Invite(1),
                { Keys: { } keys } => roster = mates.Roster(keys),
                _ => mates.Shares(roster!.Message),
            },
            () =>
            {
                // That an input leaves is kept before it leaves.
                sent = true;
                Assert.False(rounds.Allows(scene.Plan));
            });

        Assert.IsType<RoundAbortException>(refused);
        Assert.Equal(1, uploads);
    }

    [Theory]
    [InlineData(true, 0, 7, "has left this device before")]
    [InlineData(true, -3, 10, "The last one was for round 10. A server whose store was restored from a backup goes on behind it by itself.")]
    [InlineData(false, 0, 0, "sends that job nothing else")]
    [InlineData(false, 1, 0, "sends that job nothing else")]
    public async Task Session_PlanAfterAMaskedInputThatWouldShowIt_IsRefusedBeforeAnythingIsLoaded(bool group, int later, ulong told, string why)
    {
        await using RoundScene scene = await OpenAsync();
        using GroupMates mates = new(scene.Plan);
        MaskedRounds rounds = new();
        rounds.Sent(scene.Plan with { Round = scene.Plan.Round - later });
        scene.Plan = scene.Plan with { Group = group ? scene.Plan.Group : null };
        using ModelCache models = scene.Cache();
        ClientSession session = new(
            new ClientIdentity(GroupMates.Device, "pop", new Dictionary<string, string>()),
            scene.Link,
            models,
            scene.Source,
            scene.Options,
            TimeProvider.System,
            memory: new DeviceMemory { Masked = rounds },
            enrollment: mates.Enrollment);

        SessionReport report = await session.RunOnceAsync(Cancelled);

        Assert.True(report.Detail!.Contains(why, StringComparison.Ordinal), report.Detail);
        AbortReport abort = Assert.Single(scene.Script.Aborts);
        Assert.Equal((AbortReason.Policy, told), (abort.Reason, abort.ReachedRound));
        Assert.Empty(scene.Script.Downloads);
        Assert.Empty(scene.Script.Contributions);
    }

    private static async Task<RoundScene> OpenAsync()
    {
        RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with { Linear = _round, Group = 5 };
        return scene;
    }

    private static async Task<(int Uploads, Exception? Refused)> RunAsync(
        RoundScene scene, GroupMates mates, MaskedRounds rounds, Func<GroupRequest, GroupReply> server, Action? uploading = null)
    {
        int uploads = 0;
        TransferScope scope = new(
            new PlayedGroup(scene.Link, server),
            GroupMates.Device,
            new ByteCounter(),
            new Backoff(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(5), TimeProvider.System, GroupMates.Device),
            TimeProvider.System.GetTimestamp() + ((long)scene.Plan.Deadline.TotalSeconds * TimeProvider.System.TimestampFrequency),
            TimeProvider.System);
        ClientIdentity identity = new(GroupMates.Device, "pop", new Dictionary<string, string>());
        using MaskedSubmission submission = new(identity, scene.Plan, mates.Enrollment, rounds, scope, SilentObserver.Instance);
        Exception? refused = await Record.ExceptionAsync(() => submission.RunAsync(
            new uint[_round.FieldCount],
            (message, _) =>
            {
                Assert.Equal(GroupClientMessage.StepOneofCase.Input, message.StepCase);
                uploads++;
                uploading?.Invoke();
                return Task.FromResult(new SubmitReply { Outcome = SubmitOutcome.Accepted });
            },
            Cancelled).WaitAsync(RoundScene.Patience, Cancelled));
        return (uploads, refused);
    }

    private sealed class PlayedGroup(IServerLink inner, Func<GroupRequest, GroupReply> server) : ForwardingLink(inner)
    {
        public override async Task<GroupReply> ExchangeAsync(
            GroupRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
        {
            await Task.Yield();
            return server(request);
        }
    }
}
