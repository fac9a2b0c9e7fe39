using Federated.Server.SecureAggregation;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Server.Tests.SecureAggregation;

/// <summary>A server that is killed in the middle goes on from what it has written, and the sum is the same.</summary>
public sealed class MaskedGroupDocumentTests
{
    [Fact]
    public void Restore_AmidInputs_TheSumIsExact()
    {
        using GroupScene scene = new(6);
        Dictionary<string, GroupServerMessage> messages = scene.Until(3);
        GroupClientMessage[] inputs = [.. Enumerable.Range(1, 6).Select(device => scene.Client(device).Receive(messages[GroupScene.Id(device)]))];
        scene.Send(1, inputs[0]);
        scene.Send(2, inputs[1]);
        Kill(scene);

        // Acknowledged inputs are known, the others come again.
        Assert.Equal(MemberOutcome.Duplicate, scene.Send(1, inputs[0]).Outcome);
        for (int device = 3; device <= 5; device++)
        {
            Assert.Equal(MemberOutcome.Accepted, scene.Send(device, inputs[device - 1]).Outcome);
        }

        messages = scene.Step(new Dictionary<string, GroupServerMessage>());
        messages = scene.Step(messages);
        scene.Step(messages);
        scene.DemandSumOf(1, 2, 3, 4, 5);
    }

    [Fact]
    public void Restore_AmidSignaturesAndUnmasking_TheSumIsExact()
    {
        using GroupScene scene = new(6);
        Dictionary<string, GroupServerMessage> messages = scene.Until(4);
        GroupClientMessage[] signatures = [.. Enumerable.Range(1, 6).Select(device => scene.Client(device).Receive(messages[GroupScene.Id(device)]))];
        scene.Send(1, signatures[0]);
        Kill(scene);
        for (int device = 1; device <= 5; device++)
        {
            Assert.Equal(MemberOutcome.Accepted, scene.Send(device, signatures[device - 1]).Outcome);
        }

        messages = new Dictionary<string, GroupServerMessage>(scene.Server.CloseStep());
        GroupClientMessage[] shares = [.. Enumerable.Range(1, 5).Select(device => scene.Client(device).Receive(messages[GroupScene.Id(device)]))];
        scene.Send(1, shares[0]);
        Kill(scene);
        Assert.Equal(MemberOutcome.Unexpected, scene.Send(6, signatures[5]).Outcome);
        for (int device = 1; device <= 5; device++)
        {
            Assert.Equal(MemberOutcome.Accepted, scene.Send(device, shares[device - 1]).Outcome);
        }

        scene.Server.CloseStep();
        scene.DemandSumOf(1, 2, 3, 4, 5, 6);
    }

    [Fact]
    public void ToDocument_BeforeInputsAndAfterTheEnd_IsNull()
    {
        using GroupScene scene = new(4);
        Assert.Null(scene.Server.ToDocument());
        scene.Until(2);
        Assert.Null(scene.Server.ToDocument());
        using GroupScene done = new(4);
        done.Run();
        Assert.Null(done.Server.ToDocument());
    }

    [Fact]
    public void FromBytes_EveryTruncation_IsRefused()
    {
        byte[] bytes = Document();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<ProtocolViolationException>(() => MaskedGroupDocument.FromBytes(bytes.AsMemory(0, length)));
        }
    }

    [Fact]
    public void FromBytes_FlippedBits_AreRefusedOrRead()
    {
        byte[] bytes = Document();
        for (int bit = 0; bit < 8 * bytes.Length; bit += 3)
        {
            byte[] damaged = [.. bytes];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                MaskedGroupDocument.FromBytes(damaged);
            }
            catch (ProtocolViolationException)
            {
            }
        }
    }

    [Fact]
    public void FromBytes_GoldenBytes_ReadsAndWritesThemAgain()
    {
        byte[] golden = Convert.FromHexString(string.Concat(File
            .ReadLines(Path.Combine(AppContext.BaseDirectory, "Golden", "masked-group.v1.hex"))
            .Select(line => line.Split('#')[0].Trim())));
        MaskedGroupDocument document = MaskedGroupDocument.FromBytes(golden);
        Assert.Equal(ServerStep.CollectingUnmasking, document.Step);
        Assert.Equal(3, document.Group.Roll.Members.Length);
        Assert.Equal("device-00002", document.Group.Roll.DeviceOf(2));
        Assert.Equal([1, 2, 3], document.Group.Sharing);
        Assert.Equal([1, 2, 3], document.Group.Survivors);
        Assert.Equal([1, 2, 3], document.Signing!);
        Assert.Equal((1u, 2u, 4095u), (document.Group.Sum[0], document.Group.Sum[1], document.Group.Sum[2]));
        Assert.Equal(golden, document.ToBytes());
    }

    private static byte[] Document()
    {
        using GroupScene scene = new(4);
        scene.Until(5);
        return scene.Server.ToDocument()!.ToBytes();
    }

    private static void Kill(GroupScene scene) =>
        scene.Server = SecureAggregationServer.Restore(MaskedGroupDocument.FromBytes(scene.Server.ToDocument()!.ToBytes()), scene.Terms);
}
