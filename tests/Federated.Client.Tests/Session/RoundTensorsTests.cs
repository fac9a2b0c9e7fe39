using System.Runtime.InteropServices;
using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Updates.Plain;

namespace Federated.Client.Tests.Session;

/// <summary>Rounds whose plan says which tensors are trained, sent and kept, and to which rank factors are cut.</summary>
public sealed class RoundTensorsTests
{
    // As many parameters as the scene's adapter: A [4, 5000], B [5000, 4], bias [10000].
    private static readonly PackageParameter[] _parameters =
    [
        new("A", [4, 5_000], new LoraFactor("t", LoraMatrix.A, 4, 1)),
        new("B", [5_000, 4], new LoraFactor("t", LoraMatrix.B, 4, 1)),
        new("bias", [10_000]),
    ];

    private static async Task<RoundScene> OpenAsync(ParameterPlan plan)
    {
        RoundScene scene = await RoundScene.OpenAsync();
        scene.Package = scene.Script.Add((scene.Manifest with { Parameters = _parameters }).ToBytes());
        scene.Plan = scene.Plan with { Package = scene.Package, Parameters = plan };
        return scene;
    }

    private static float[] Delta(RoundScene scene, int sent) =>
        UpdateDocument.FromBytes(scene.Script.Contributions.Last().Payload, sent).DenseValues.ToArray();

    [Fact]
    public async Task RunOnce_FrozenFactor_SendsTheOthersAlone()
    {
        await using RoundScene scene = await OpenAsync(new ParameterPlan
        {
            Roles = [ParameterRole.Frozen, ParameterRole.Sent, ParameterRole.Sent],
            SentCount = 30_000,
        });

        await scene.RunAcceptedAsync();

        Assert.All(Delta(scene, 30_000), value => Assert.Equal(-1f, value));
    }

    [Fact]
    public async Task RunOnce_LowerRank_StartsFromTheCutAdapterAndSendsTheLeadingPart()
    {
        await using RoundScene scene = await OpenAsync(new ParameterPlan
        {
            Roles = [ParameterRole.Sent, ParameterRole.Sent, ParameterRole.Frozen],
            SentCount = (3 * 5_000) + (5_000 * 3),
            Rank = 3,
        });

        await scene.RunAcceptedAsync();

        Assert.All(Delta(scene, 30_000), value => Assert.Equal(-1f, value));
    }

    [Fact]
    public async Task RunOnce_KeptFactor_StaysOnTheDeviceAndIsWhereTheNextRoundBegins()
    {
        await using RoundScene scene = await OpenAsync(new ParameterPlan
        {
            Roles = [ParameterRole.Sent, ParameterRole.Kept, ParameterRole.Sent],
            SentCount = 30_000,
        });
        using ModelCache models = scene.Cache();
        ClientSession session = scene.Session(models);
        float[] first = new float[20_000];
        float[] second = new float[20_000];

        await session.RunOnceAsync(TestContext.Current.CancellationToken);
        Assert.True(scene.Kept.TryRead("job", first));
        await session.RunOnceAsync(TestContext.Current.CancellationToken);
        Assert.True(scene.Kept.TryRead("job", second));

        Assert.All(first.Index(), entry => Assert.Equal(((20_000 + entry.Index) % 64) - 1, entry.Item));
        Assert.All(second.Index(), entry => Assert.Equal(((20_000 + entry.Index) % 64) - 2, entry.Item));

        // The same delta both times, which the scripted server takes for one contribution.
        Assert.All(Delta(scene, 30_000), value => Assert.Equal(-1f, value));
    }

    [Fact]
    public async Task RunOnce_UpdateThatDoesNotCount_KeepsNothing()
    {
        await using RoundScene scene = await OpenAsync(new ParameterPlan
        {
            Roles = [ParameterRole.Sent, ParameterRole.Kept, ParameterRole.Sent],
            SentCount = 30_000,
        });
        scene.Script.Answer = new SubmitReply { Outcome = SubmitOutcome.Late };

        SessionReport report = await scene.RunAsync();

        Assert.Equal(SubmitOutcome.Late, report.Outcome);
        Assert.False(scene.Kept.TryRead("job", new float[20_000]));
    }

    [Theory]
    [InlineData(2, 30_000, "speaks of 2 tensors")]
    [InlineData(3, 29_999, "states an update of 29999 parameters")]
    public async Task RunOnce_PlanThatDoesNotFitThePackage_IsUnsupported(int roles, int sent, string why)
    {
        await using RoundScene scene = await OpenAsync(new ParameterPlan
        {
            Roles = [.. Enumerable.Repeat(ParameterRole.Sent, roles).Select((role, i) => i == 0 ? ParameterRole.Frozen : role)],
            SentCount = sent,
        });

        SessionReport report = await scene.RunAsync();

        Assert.Equal(SessionResult.Aborted, report.Result);
        Assert.Equal(AbortReason.UnsupportedPlan, Assert.Single(scene.Script.Aborts).Reason);
        Assert.Contains(why, report.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void FolderKeptTensors_DiskThatTakesNothing_SaysSoAndKeepsTheRound()
    {
        string file = Path.GetTempFileName();
        try
        {
            Assert.False(new FolderKeptTensors(file).TryWrite("job-1", 3, [1f]));
            Assert.False(new FolderKeptTensors(file).TryRead("job-1", new float[1]));
            Assert.False(new FolderResiduals(file).TryWrite(new Residual("job-1", 1)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void FolderKeptTensors_WhatWasWritten_IsReadAgainByLaterProcessesOnly()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            new FolderKeptTensors(folder).TryWrite("job-1", 3, [1f, 2f]);
            float[] kept = new float[2];

            Assert.True(new FolderKeptTensors(folder).TryRead("job-1", kept));
            Assert.Equal([1f, 2f], kept);
            Assert.False(new FolderKeptTensors(folder).TryRead("job-2", kept));
            Assert.False(new FolderKeptTensors(folder).TryRead("job-1", new float[3]));
            Assert.Throws<ProtocolViolationException>(() => new FolderKeptTensors(folder).TryWrite("../job", 1, [1f]));
            File.WriteAllBytes(Directory.GetFiles(folder)[0], MemoryMarshal.AsBytes<float>(kept).ToArray());
            Assert.False(new FolderKeptTensors(folder).TryRead("job-1", kept));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
