using System.Buffers;
using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Client.Tests.Session;

/// <summary>Which way to a round's adapter a device takes, and what it then starts from.</summary>
public sealed class AdapterDownloadTests
{
    private const int Parameters = RoundScene.Parameters;

    private static readonly float[] _fifth = [.. Enumerable.Range(0, Parameters).Select(i => i % 64f)];

    [Fact]
    public async Task Receive_EarlierVersionHeld_AppliesTheChangesBitForBit()
    {
        await using Offered offered = await Offered.OpenAsync();
        offered.Held.TryWrite("job", new HeldAdapter(4, IsExact: true, _fifth));

        Assert.Equal(offered.Sixth, await offered.ReceiveAsync());

        Assert.Equal([offered.Changes[0], offered.Changes[1]], offered.Scene.Script.Downloads.Select(d => d.Content));
        HeldAdapter held = offered.Held.Read("job", Parameters)!;
        Assert.Equal((6, true), (held.Version, held.IsExact));
        Assert.Equal(offered.Sixth, held.Values.ToArray());
    }

    [Fact]
    public async Task Receive_ThisVersionHeld_DownloadsNothing()
    {
        await using Offered offered = await Offered.OpenAsync();
        offered.Held.TryWrite("job", new HeldAdapter(6, IsExact: true, offered.Sixth));
        Assert.Equal(offered.Sixth, await offered.ReceiveAsync());
        Assert.Empty(offered.Scene.Script.Downloads);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(null)]
    public async Task Receive_NothingHeldThatChangesLeadFrom_TakesTheRoundedAdapter(int? version)
    {
        await using Offered offered = await Offered.OpenAsync();
        if (version is { } held)
        {
            offered.Held.TryWrite("job", new HeldAdapter(held, IsExact: true, _fifth));
        }

        float[] received = await offered.ReceiveAsync();

        Assert.All(received.Zip(offered.Sixth), pair => Assert.Equal(pair.Second, pair.First, 64f / 127));
        Assert.NotEqual(offered.Sixth, received);
        Assert.Equal((6, false), (offered.Held.Read("job", Parameters)!.Version, offered.Held.Read("job", Parameters)!.IsExact));
    }

    [Fact]
    public async Task Receive_RoundedVersionHeld_GoesOnFromItOutsideOfGroupsAlone()
    {
        await using Offered offered = await Offered.OpenAsync();
        float[] rounded = [.. offered.Fifth.Select(value => value + 0.01f)];
        offered.Held.TryWrite("job", new HeldAdapter(5, IsExact: false, rounded, offered.Changes[0]));
        float[] received = await offered.ReceiveAsync();
        Assert.All(received.Zip(offered.Sixth), pair => Assert.Equal(pair.Second + 0.01f, pair.First, 1e-3f));
        Assert.Equal([offered.Changes[1]], offered.Scene.Script.Downloads.Select(d => d.Content));
        HeldAdapter held = offered.Held.Read("job", Parameters)!;
        Assert.Equal((6, false, offered.Changes[1]), (held.Version, held.IsExact, held.Change));

        Assert.Equal(received, await offered.ReceiveAsync());
        Assert.Empty(offered.Scene.Script.Downloads);

        offered.Held.TryWrite("job", new HeldAdapter(5, IsExact: false, rounded, offered.Changes[0]));
        Assert.Equal(offered.Sixth, await offered.ReceiveAsync(group: 0));
        Assert.Equal(offered.Scene.Adapter, offered.Scene.Script.Downloads.Last().Content);
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(5, false)]
    [InlineData(4, true)]
    public async Task Receive_RoundedVersionThatMayBeOfALostTime_TakesTheRoundedAdapter(int version, bool known)
    {
        await using Offered offered = await Offered.OpenAsync();

        // The server's store was restored from a backup and has given the number to another version since; or the plan reaches not far enough back to tell.
        offered.Held.TryWrite("job", new HeldAdapter(version, IsExact: false, new float[Parameters], known ? ContentHash.Of([1]) : null));

        float[] received = await offered.ReceiveAsync();

        Assert.All(received.Zip(offered.Sixth), pair => Assert.Equal(pair.Second, pair.First, 64f / 127));
        Assert.Equal([offered.Scene.Plan.Offers!.Rounded!.Value.Hash], offered.Scene.Script.Downloads.Select(d => d.Content));
    }

    [Fact]
    public void Costs_OfWhatIsHeld_AreThoseOfTheShortestWay()
    {
        AdapterChange first = new(new ObjectReference(ContentHash.Of([1]), 10), null, 0);
        AdapterChange second = new(new ObjectReference(ContentHash.Of([2]), 20), null, 0);
        PlanDocument plan = new()
        {
            JobId = "job",
            Round = 7,
            ModelVersion = 6,
            Package = ContentHash.Of([4]),
            Adapter = ContentHash.Of([5]),
            AdapterLengthBytes = 100,
            ParameterCount = 25,
            Seed = 1,
            MaxUpdateBytes = 100,
            Deadline = TimeSpan.FromMinutes(1),
            CohortSize = 1,
            Goal = 1,
            Training = new LocalTrainingPlan(),
            Offers = new AdapterOffers { Rounded = new ObjectReference(ContentHash.Of([3]), 25), Changes = [first, second] },
        };

        Assert.Equal(25, AdapterCosts.Of(plan, null).Least);
        Assert.Equal(20, AdapterCosts.Of(plan, new HeldAdapter(5, IsExact: true, default)).Least);
        Assert.Equal(25, AdapterCosts.Of(plan, new HeldAdapter(4, IsExact: true, default)).Least);
        Assert.Equal(20, AdapterCosts.Of(plan, new HeldAdapter(5, IsExact: false, default, first.Document.Hash)).Least);
        Assert.Equal(0, AdapterCosts.Of(plan, new HeldAdapter(6, IsExact: false, default, second.Document.Hash)).Least);
        Assert.Equal(30, AdapterCosts.Of(plan with { Group = 0 }, new HeldAdapter(4, IsExact: true, default)).Least);
        Assert.Equal(100, AdapterCosts.Of(plan with { Group = 0 }, new HeldAdapter(5, IsExact: false, default, first.Document.Hash)).Least);
        Assert.Equal(100, AdapterCosts.Of(plan with { Offers = null }, new HeldAdapter(5, IsExact: true, default)).Least);
    }

    [Fact]
    public async Task Receive_HeldIsNotWhatItClaims_TakesTheWholeAdapter()
    {
        await using Offered offered = await Offered.OpenAsync();
        offered.Held.TryWrite("job", new HeldAdapter(5, IsExact: true, new float[Parameters]));
        Assert.Equal(offered.Sixth, await offered.ReceiveAsync());
        Assert.Equal(offered.Scene.Adapter, offered.Scene.Script.Downloads.Last().Content);
        Assert.True(offered.Held.Read("job", Parameters)!.IsExact);
    }

    [Fact]
    public async Task Receive_OfferThatIsGoneOrAnother_TakesTheWholeAdapter()
    {
        await using Offered offered = await Offered.OpenAsync();
        AdapterOffers offers = offered.Scene.Plan.Offers!;
        foreach (ObjectReference rounded in (ObjectReference[])[new(ContentHash.Of([1]), 10), new(offered.Changes[1], offers.Changes[1].Document.LengthBytes)])
        {
            offered.Scene.Plan = offered.Scene.Plan with { Offers = offers with { Rounded = rounded } };
            Assert.Equal(offered.Sixth, await offered.ReceiveAsync());
            Assert.Equal(offered.Scene.Adapter, offered.Scene.Script.Downloads.Last().Content);
            offered.Held.TryWrite("job", new HeldAdapter(1, IsExact: true, _fifth));
        }
    }

    [Fact]
    public void FolderHeldAdapters_AnotherProcess_ReadsWhatWasWritten()
    {
        string folder = Directory.CreateTempSubdirectory("held-").FullName;
        try
        {
            new FolderHeldAdapters(folder).TryWrite("job", new HeldAdapter(6, IsExact: true, new float[] { 1, 2 }));
            HeldAdapter read = new FolderHeldAdapters(folder).Read("job", 2)!;
            Assert.Equal((6, true), (read.Version, read.IsExact));
            Assert.Equal([1f, 2f], read.Values.ToArray());
            Assert.Null(new FolderHeldAdapters(folder).Read("job", 3));
            Assert.Null(new FolderHeldAdapters(folder).Read("another", 2));
            Assert.Throws<ProtocolViolationException>(() => new FolderHeldAdapters(folder).TryWrite("../job", new HeldAdapter(6, IsExact: true, new float[1])));

            new FolderHeldAdapters(folder).TryWrite("job", new HeldAdapter(7, IsExact: false, new float[] { 3, 4 }, ContentHash.Of([1])));
            read = new FolderHeldAdapters(folder).Read("job", 2)!;
            Assert.Equal((7, false, ContentHash.Of([1])), (read.Version, read.IsExact, read.Change));
            Assert.Equal([3f, 4f], read.Values.ToArray());

            // As it was written before the change was noted.
            File.WriteAllBytes(Directory.GetFiles(folder).Single(), [0, .. AdapterDocument.ToBytes(7, [3, 4])]);
            read = new FolderHeldAdapters(folder).Read("job", 2)!;
            Assert.Equal((7, false, null), (read.Version, read.IsExact, read.Change));

            new FolderHeldAdapters(folder).TryWrite("job", new HeldAdapter(6, IsExact: true, new[] { float.NaN, 2 }));
            Assert.Null(new FolderHeldAdapters(folder).Read("job", 2));
            File.WriteAllBytes(Directory.GetFiles(folder).Single(), [1, 2, 3]);
            Assert.Null(new FolderHeldAdapters(folder).Read("job", 2));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task RunOnce_ToldIndexSet_SendsItsCoordinatesAndKeepsTheRest()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        SharedIndexSet set = SharedIndexSet.Voted(3, new float[Parameters], 500);
        byte[] document = IndexSetDocument.ToBytes(set);
        LinearRound linear = new()
        {
            Seed = 3,
            ParameterCount = Parameters,
            IndexSet = IndexSetKind.Voted,
            SetSize = 500,
            Votes = 100,
            Set = new ObjectReference(scene.Script.Add(document), document.Length),
            ClipNorm = 1_000,
            Step = 0.5,
            WidthBits = 20,
            RotationBlock = 512,
            MinClients = 1,
            MaxClients = 4,
            MaxExamples = 1,
        };
        scene.Plan = scene.Plan with { Linear = linear };

        await scene.RunAcceptedAsync();

        ReadOnlySpan<float> left = scene.Residuals.Read("job", Parameters).Values;
        Assert.Equal(Parameters - 500, left.ToArray().Count(value => value == -1f));
    }

    /// <summary>A round whose adapter, version 6, is on offer in every way: two changes, rounded and whole.</summary>
    private sealed class Offered : IAsyncDisposable
    {
        private Offered(RoundScene scene) => Scene = scene;

        public RoundScene Scene { get; }

        public MemoryHeldAdapters Held => Scene.Held;

        public float[] Fifth { get; private set; } = [];

        public float[] Sixth { get; private set; } = [];

        public ContentHash[] Changes { get; private set; } = [];

        public static async Task<Offered> OpenAsync()
        {
            Offered offered = new(await RoundScene.OpenAsync());
            offered.Fill();
            return offered;
        }

        public async Task<float[]> ReceiveAsync(int? group = null)
        {
            RoundScene scene = Scene;
            scene.Script.Downloads.Clear();
            using ModelCache models = scene.Cache();
            PlanDocument plan = scene.Plan with { Group = group };
            using RoundBuffer buffer = RoundBuffer.Rent(plan, ArrayPool<byte>.Shared);
            TransferScope scope = new(
                scene.Link, "device-1", new ByteCounter(), new Backoff(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(50), TimeProvider.System, "device-1"), long.MaxValue, TimeProvider.System);
            await new AdapterDownload(plan, models, Held, scope).ReceiveAsync(buffer, TestContext.Current.CancellationToken);
            return buffer.Values.ToArray();
        }

        public ValueTask DisposeAsync() => Scene.DisposeAsync();

        private void Fill()
        {
            // Version 4 to 5 on a set of a seed, 5 to 6 with indices.
            SharedIndexSet set = SharedIndexSet.Random(9, Parameters, 1_000);
            float[] fifth = [.. _fifth];
            foreach (int index in set.Indices.Indices)
            {
                fifth[index] += 0.25f;
            }

            DownlinkDocument first = DownlinkEncoder.SameSet(_fifth, fifth, 5, set.Indices);
            float[] adapter = [.. _fifth];
            first.Apply(adapter, 4, set.Indices);
            Fifth = [.. adapter];
            float[] goal = [.. adapter];
            goal[7] += 3;
            DownlinkDocument second = DownlinkEncoder.Change(adapter, goal, 6);
            Assert.Equal(DownlinkForm.Change8, second.Form);
            second.Apply(adapter, 5);
            Sixth = adapter;

            byte[][] changes = [first.ToBytes(), second.ToBytes()];
            Changes = [.. changes.Select(Scene.Script.Add)];
            byte[] rounded = DownlinkEncoder.Full(adapter, 6, exact: false).ToBytes();
            byte[] whole = AdapterDocument.ToBytes(6, adapter);
            Scene.Adapter = Scene.Script.Add(whole);
            Scene.Plan = Scene.Plan with
            {
                Adapter = Scene.Adapter,
                AdapterLengthBytes = whole.Length,
                Offers = new AdapterOffers
                {
                    Rounded = new ObjectReference(Scene.Script.Add(rounded), rounded.Length),
                    Changes =
                    [
                        new AdapterChange(new ObjectReference(Changes[0], changes[0].Length), 9, 1_000),
                        new AdapterChange(new ObjectReference(Changes[1], changes[1].Length), null, 0),
                    ],
                },
            };
            Assert.Equal(Scene.Plan, PlanDocument.FromBytes(Scene.Plan.ToBytes()));
        }
    }
}
