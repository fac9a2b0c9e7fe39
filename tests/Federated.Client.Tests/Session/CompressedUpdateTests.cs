using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;
using Federated.Testing;

namespace Federated.Client.Tests.Session;

/// <summary>A round under a codec: what is uploaded, and what becomes of the residual by the server's answer.</summary>
public sealed class CompressedUpdateTests
{
    private static readonly PlainCodec _codec = new() { Density = 0.1, Values = ValueEncoding.RawFloat32 };
    private const int Sent = RoundScene.Parameters / 10;

    [Fact]
    public async Task RunOnce_TopK_UploadsATenthAndKeepsTheRest()
    {
        await using RoundScene scene = await OpenAsync(_codec);
        await scene.RunAcceptedAsync();

        byte[] payload = Assert.Single(scene.Script.Contributions).Payload;
        Assert.InRange(payload.Length, 1, (int)_codec.MaxLengthBytes(RoundScene.Parameters) + UpdateDocument.OverheadBytes);
        float[] delta = new float[RoundScene.Parameters];
        PlainDecoder.Decode(UpdateDocument.FromBytes(payload, delta.Length).Body, _codec, delta);
        Assert.Equal(Sent, delta.Count(value => value == -1f));

        Residual residual = scene.Residuals.Read("job", RoundScene.Parameters);
        Assert.Equal(7, residual.Round);
        Assert.All(residual.Values.ToArray().Zip(delta), pair => Assert.Equal(-1f, pair.First + pair.Second));
    }

    [Fact]
    public async Task RunOnce_NextRound_SendsWhatWasLeftOut()
    {
        await using RoundScene scene = await OpenAsync(_codec);
        await scene.RunAcceptedAsync();
        scene.Plan = scene.Plan with { Round = 8 };
        scene.Script.CheckIn = _ => new CheckInReply
        {
            Assignment = new Assignment { JobId = "job", Round = 8, Plan = Google.Protobuf.ByteString.CopyFrom(scene.Plan.ToBytes()) },
        };
        await scene.RunAcceptedAsync();

        // What was left out is twice as large by now.
        float[] delta = new float[RoundScene.Parameters];
        PlainDecoder.Decode(UpdateDocument.FromBytes(scene.Script.Contributions.Last().Payload, delta.Length).Body, _codec, delta);
        Assert.Equal(Sent, delta.Count(value => value == -2f));
    }

    [Theory]
    [InlineData(SubmitOutcome.Late, 7, -1f)]
    [InlineData(SubmitOutcome.RoundAbandoned, 7, -1f)]
    [InlineData(SubmitOutcome.OutOfRange, 0, 0f)]
    public async Task RunOnce_NotCounted_KeepsTheUpdateWhenItWasLateAndOnlyThen(SubmitOutcome outcome, long round, float left)
    {
        await using RoundScene scene = await OpenAsync(_codec);
        scene.Script.Answer = new SubmitReply { Outcome = outcome };
        await scene.RunAsync();

        Residual residual = scene.Residuals.Read("job", RoundScene.Parameters);
        Assert.Equal(round, residual.Round);
        Assert.All(residual.Values.ToArray(), value => Assert.Equal(left, value));
    }

    [Fact]
    public async Task RunOnce_Quantized_UploadsAllInAQuarterAndKeepsNothing()
    {
        PlainCodec codec = new() { Density = 1, Values = ValueEncoding.Block8, KeepsResidual = false };
        await using RoundScene scene = await OpenAsync(codec);
        await scene.RunAcceptedAsync();

        float[] delta = new float[RoundScene.Parameters];
        byte[] payload = Assert.Single(scene.Script.Contributions).Payload;
        PlainDecoder.Decode(UpdateDocument.FromBytes(payload, delta.Length).Body, codec, delta);
        Assert.All(delta, value => Assert.Equal(-1f, value, 0.02f));
        Assert.InRange(payload.Length, RoundScene.Parameters, RoundScene.Parameters * 1.02);
        Assert.Equal(0, scene.Residuals.Read("job", RoundScene.Parameters).Round);
    }

    [Fact]
    public void FolderResiduals_AnotherProcess_ReadsWhatWasWritten()
    {
        using TemporaryFolder folder = new();
        Residual residual = Encoded();
        new FolderResiduals(Path.Combine(folder.Path, "deep")).TryWrite(residual);
        Residual read = new FolderResiduals(Path.Combine(folder.Path, "deep")).Read("job", 4);
        Assert.Equal(3, read.Round);
        Assert.Equal(residual.Values.ToArray(), read.Values.ToArray());
    }

    [Fact]
    public void FolderResiduals_DamagedOrOfAnotherModel_BeginsAnew()
    {
        using TemporaryFolder folder = new();
        FolderResiduals residuals = new(folder.Path);
        residuals.TryWrite(Encoded());
        Assert.Equal(0, residuals.Read("job", 5).Round);
        File.WriteAllText(Directory.GetFiles(folder.Path).Single(), "damaged");
        Assert.Equal(0, residuals.Read("job", 4).Round);
        Assert.Equal(0, residuals.Read("other", 4).Round);
    }

    [Fact]
    public void FolderResiduals_NameThatIsAPath_IsRefused()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<ProtocolViolationException>(() => new FolderResiduals(folder.Path).TryWrite(new Residual("../../escape", 4)));
    }

    private static Residual Encoded()
    {
        Residual residual = new("job", 4);
        new PlainEncoder(new PlainCodec { Density = 0.25, Values = ValueEncoding.Block8 }, 4).Encode([1f, 2f, 3f, 4f], 3, residual, null);
        return residual;
    }

    private static async Task<RoundScene> OpenAsync(PlainCodec codec)
    {
        RoundScene scene = await RoundScene.OpenAsync();
        scene.Plan = scene.Plan with { Codec = codec };
        return scene;
    }
}
