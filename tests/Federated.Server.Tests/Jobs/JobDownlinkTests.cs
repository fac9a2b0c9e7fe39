using Federated.Server.Grains;
using Federated.Server.Jobs;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Tests.Jobs;

public sealed class JobDownlinkTests
{
    private const int Parameters = 5_000;

    [Fact]
    public void Round_ManyVersions_DevicesHoldThemBitForBitAndNothingIsLost()
    {
        JobDownlink downlink = new(new float[Parameters]);
        float[] server = new float[Parameters];
        float[] device = new float[Parameters];
        double[] wanted = new double[Parameters];
        Random random = new(3);
        for (long version = 1; version <= 20; version++)
        {
            float[] previous = [.. server];
            downlink.Complete(server);
            for (int i = 0; i < Parameters; i++)
            {
                float step = (float)(random.NextDouble() - 0.5);
                server[i] += step;
                wanted[i] += step;
            }

            DownlinkDocument change = downlink.Round(previous, server, version, null);
            Assert.Equal(DownlinkForm.WholeChange8, change.Form);
            DownlinkDocument.FromBytes(change.ToBytes(), Parameters).Apply(device, version - 1);
            Assert.Equal(server, device);
        }

        // What is missing of the sum of all steps is what the next version will say: a rounding of the last one, not of twenty.
        for (int i = 0; i < Parameters; i++)
        {
            Assert.Equal(wanted[i], server[i] + downlink.Remainder[i], 1e-4);
            Assert.InRange(downlink.Remainder[i], -0.01f, 0.01f);
        }
    }

    [Fact]
    public void Round_SetThatDevicesDraw_NamesNoIndices()
    {
        IndexSet set = SharedIndexSet.Random(4, Parameters, 500).Indices;
        float[] adapter = new float[Parameters];
        foreach (int index in set.Indices)
        {
            adapter[index] = 1;
        }

        float[] goal = [.. adapter];
        DownlinkDocument change = new JobDownlink(new float[Parameters]).Round(new float[Parameters], adapter, 1, set);

        Assert.Equal(DownlinkForm.SameSet, change.Form);
        Assert.InRange(change.ToBytes().Length, 500, 600);
        Assert.All(adapter.Zip(goal), pair => Assert.Equal(pair.Second, pair.First, 0.01f));
    }

    [Fact]
    public void Offers_ManyCommits_AreTheLastEightChangesAndTheNewestRoundedAdapter()
    {
        JobGrainState job = new();
        List<ObjectReference> deleted = [];
        for (int version = 1; version <= 12; version++)
        {
            CommittedChange change = new(version, Named($"change {version}"), null, 0);
            DownlinkOffers.Add(job, new ModelCommit(new CommittedModel(version, Named("model").Hash, 1), change, Named($"rounded {version}"), 0, null, null));
            deleted.AddRange(DownlinkOffers.Outdated(job));
            DownlinkOffers.Trim(job);
        }

        AdapterOffers offers = DownlinkOffers.Of(job);
        Assert.Equal(Named("rounded 12"), offers.Rounded);
        Assert.Equal(Enumerable.Range(5, 8).Select(version => Named($"change {version}")), offers.Changes.Select(change => change.Document));
        Assert.Equal(4 + 11, deleted.Distinct().Count());
        Assert.Equal(4 + 11, deleted.Count);
        Assert.DoesNotContain(offers.Changes[0].Document, deleted);
        Assert.Equal(8, offers.BytesFrom(4, 12));
        Assert.Equal(0, offers.BytesFrom(12, 12));
        Assert.Null(offers.BytesFrom(3, 12));
        Assert.Null(offers.BytesFrom(13, 12));
    }

    [Fact]
    public void ToMemory_FewerParametersSentThanThereAre_FitsACheckpoint()
    {
        float[] memory = new JobIndexSets([1, 2, 3]).ToMemory(5)!;
        Assert.Equal([1f, 2f, 3f, 0f, 0f], memory);
        Assert.Null(new JobIndexSets([]).ToMemory(5));
    }

    private static LinearRound Linear(IndexSetKind kind, int size) => new()
    {
        Seed = 4,
        ParameterCount = Parameters,
        IndexSet = kind,
        SetSize = size,
        ClipNorm = 1,
        Step = 0.1,
        WidthBits = 16,
        RotationBlock = 128,
        MinClients = 1,
        MaxClients = 4,
        MaxExamples = 1,
    };

    private static ObjectReference Named(string name) => new(ContentHash.Of(System.Text.Encoding.UTF8.GetBytes(name)), 1);

    [Fact]
    public void SetOf_Kinds_FindWhatTheyAreNamedAfter()
    {
        float[] momentum = new float[Parameters];
        momentum[17] = 9;
        LinearRound round = Linear(IndexSetKind.Momentum, 100);
        SharedIndexSet byMomentum = new JobIndexSets([]).SetOf(round, momentum);
        Assert.Contains(17, byMomentum.Indices.Indices.ToArray());
        Assert.Equal(100, byMomentum.Indices.Count);

        float[] scores = new float[Parameters];
        scores[23] = 1;
        SharedIndexSet voted = new JobIndexSets(scores).SetOf(round with { IndexSet = IndexSetKind.Voted }, []);
        Assert.Contains(23, voted.Indices.Indices.ToArray());
        Assert.Throws<ArgumentException>(() => new JobIndexSets([]).SetOf(round with { IndexSet = IndexSetKind.Voted }, []));
    }
}
