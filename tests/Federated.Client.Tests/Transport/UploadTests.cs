using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Client.Tests.Transport;

public sealed class UploadTests
{
    [Fact]
    public async Task Submit_BrokenMidway_ResumesAndContributesOnce()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.BrokenUploads.Enqueue(1);
        scene.Script.BrokenUploads.Enqueue(ProtocolLimits.ChunkBytes + 1);

        await scene.RunAcceptedAsync();

        Assert.Equal([0, ProtocolLimits.ChunkBytes, 2 * ProtocolLimits.ChunkBytes], scene.Script.SubmitOffsets);
        byte[] payload = Assert.Single(scene.Script.Contributions).Payload;
        Assert.True(UpdateDocument.FromBytes(payload, RoundScene.Parameters).DenseValues.IndexOfAnyExcept(-1f) < 0);
    }

    [Fact]
    public async Task Submit_ServerKilledAndStartedAgain_IsWaitedFor()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        int failures = 0;
        scene.Link = new WatchedLink(scene.Link, () => ++failures == 1 ? scene.Server.StartAsync() : Task.CompletedTask);
        scene.Observer.Trained = _ => scene.Server.KillAsync();

        await scene.RunAcceptedAsync();

        Assert.True(failures >= 1);
        Assert.Single(scene.Script.Contributions);
    }

    [Fact]
    public async Task Submit_AcknowledgementLost_IsADuplicateAndCounts()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Link = new ForgetfulLink(scene.Link);

        SessionReport report = await scene.RunAsync();

        Assert.Equal((SessionResult.Accepted, SubmitOutcome.Duplicate), (report.Result, report.Outcome));
        Assert.Single(scene.Script.Contributions);
    }

    [Fact]
    public async Task Submit_ReceivedBytesAreWrong_IsSentAgainAsAWhole()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        scene.Script.BrokenUploads.Enqueue(1);
        bool spoiled = false;
        scene.Link = new WatchedLink(scene.Link, () =>
        {
            // The part that the server kept changes under its feet.
            MemoryStream held = Assert.Single(scene.Script.PartialUploads).Value;
            if (!spoiled)
            {
                held.GetBuffer()[0] ^= 1;
                spoiled = true;
            }

            return Task.CompletedTask;
        });

        await scene.RunAcceptedAsync();

        Assert.Equal([0, ProtocolLimits.ChunkBytes, 0], scene.Script.SubmitOffsets);
        Assert.Single(scene.Script.Contributions);
    }

    private sealed class WatchedLink(IServerLink inner, Func<Task> failed) : ForwardingLink(inner)
    {
        public override async Task<SubmitReply> SubmitAsync(
            SubmitHeader header, ReadOnlyMemory<byte> payload, long offset, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SubmitAsync(header, payload, offset, timeout, counter, cancellationToken);
            }
            catch (ServerLinkException)
            {
                await failed();
                throw;
            }
        }
    }

    /// <summary>Loses the first answer on the way.</summary>
    private sealed class ForgetfulLink(IServerLink inner) : ForwardingLink(inner)
    {
        private bool _lost;

        public override async Task<SubmitReply> SubmitAsync(
            SubmitHeader header, ReadOnlyMemory<byte> payload, long offset, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
        {
            SubmitReply reply = await base.SubmitAsync(header, payload, offset, timeout, counter, cancellationToken);
            if (_lost)
            {
                return reply;
            }

            _lost = true;
            throw new ServerLinkException("lost", retriable: true);
        }
    }
}
