using Federated.EndToEnd.Tests.Scene;

namespace Federated.EndToEnd.Tests;

/// <summary>A small job with every codec of the plain path, over the wire and into the sum.</summary>
public sealed class CompressedUpdateTests
{
    private const double FramingPerContribution = 2_048;

    [Theory]
    [InlineData("""{ "codec": "top-k", "density": 0.1 }""", 6)]
    [InlineData("""{ "codec": "top-k", "density": 0.1, "valueBits": 4, "momentum": 0.5, "staleDecay": 0.9 }""", 10)]
    [InlineData("""{ "codec": "stc", "density": 0.1 }""", 12)]
    [InlineData("""{ "codec": "quantized" }""", 3)]
    public async Task Run_Codec_LearnsFromFewerBytes(string update, int fewerBytes)
    {
        SeededRun dense = await SeededRun.BaselineAsync();
        SeededRun compressed = await SeededRun.RunAsync(update: update);

        Assert.All(compressed.Records, record => Assert.Equal(5, record.Accepted));
        Assert.InRange(compressed.Records[^1].BytesUp, 1, dense.Records[^1].BytesUp / fewerBytes);
        Assert.Equal(dense.Records[^1].BytesDown, compressed.Records[^1].BytesDown, 500.0);
        Assert.True(compressed.Records[^1].Evaluation!.Accuracy > 0.3, $"It is {compressed.Records[^1].Evaluation!.Accuracy} in the end; untrained it is 0.1.");
    }

    // On the socket there are also the headers of calls and frames, and what is said before an assignment and after a submission.
    [Theory]
    [InlineData("""{ "codec": "dense" }""")]
    [InlineData("""{ "codec": "top-k", "density": 0.01 }""")]
    [InlineData("""{ "codec": "linear", "exampleCap": 60 }""")]
    public async Task Run_ThroughACountingRelay_RecordsTheBytesOfTheSocketWithinFraming(string update)
    {
        await using CountingRelay relay = new();

        SeededRun run = await SeededRun.RunAsync(update: update, relay: relay);

        (long up, long down) = (run.Records.Sum(record => record.BytesUp), run.Records.Sum(record => record.BytesDown));
        long contributions = run.Records.Sum(record => record.Accepted);
        Assert.InRange(relay.BytesUp - up, 0, (0.01 * up) + (FramingPerContribution * contributions));
        Assert.InRange(relay.BytesDown - down, 0, (0.01 * down) + (FramingPerContribution * contributions));
    }

    [Theory]
    [InlineData("""{ "codec": "linear", "density": 1, "exampleCap": 60 }""", 3)]
    [InlineData("""{ "codec": "linear", "density": 0.5, "valueBits": 10, "exampleCap": 60, "clipQuantile": 0.9 }""", 5)]
    public async Task Run_LinearCodec_LearnsAndTellsItsStatistics(string update, int fewerBytes)
    {
        SeededRun dense = await SeededRun.BaselineAsync();
        SeededRun linear = await SeededRun.RunAsync(update: update);

        Assert.InRange(linear.Records[^1].BytesUp, 1, dense.Records[^1].BytesUp / fewerBytes);
        Assert.All(linear.Records.Zip(dense.Records), pair => Assert.Equal(pair.Second.Examples, pair.First.Examples));
        Assert.Equal(dense.Records[0].TrainLoss, linear.Records[0].TrainLoss, 1e-3);
        Assert.All(linear.Records, record => Assert.InRange(record.ClippedShare!.Value, 0, 1));
        Assert.All(linear.Records, record => Assert.InRange(record.LimitedCoordinates!.Value, 0, 500));
        Assert.Equal(update.Contains("clipQuantile", StringComparison.Ordinal), linear.Records.Select(record => record.ClipNorm).Distinct().Count() > 1);
        Assert.True(linear.Records[^1].Evaluation!.Accuracy > 0.3, $"It is {linear.Records[^1].Evaluation!.Accuracy} in the end; untrained it is 0.1.");
    }

    [Theory]
    [InlineData("voted", "")]
    [InlineData("momentum", """ "server": { "optimizer": "fedAvgM", "momentum": 0.5, "learningRate": 0.5 },""")]
    public async Task Run_ToldIndexSets_LearnsTheSameWithAndWithoutMasks(string indexSet, string server)
    {
        string update = $$"""{ "codec": "linear", "density": 0.5, "valueBits": 12, "exampleCap": 60, "indexSet": "{{indexSet}}" }""";
        SeededRun plain = await SeededRun.RunAsync(update: update, further: server);
        SeededRun masked = await SeededRun.RunAsync(update: update, further: server, aggregation: """{ "secure": {} }""");
        SeededRun threads = await SeededRun.RunAsync(update: update, further: server, threads: 2);

        Assert.True(plain.Records[^1].Evaluation!.Accuracy > 0.3, $"It is {plain.Records[^1].Evaluation!.Accuracy} in the end; untrained it is 0.1.");
        Assert.Equal(plain.AdapterSha256, masked.AdapterSha256);
        Assert.Equal(plain.AdapterSha256, threads.AdapterSha256);
    }

    [Theory]
    [InlineData("{}", 3)]
    [InlineData("""{ "codec": "linear", "density": 0.1, "valueBits": 12, "exampleCap": 60 }""", 3)]
    public async Task Run_CompactDownlink_LearnsFromFewerBytesDown(string update, int fewerBytes)
    {
        const string Compact = """ "downlink": "compact",""";
        await using CountingRelay relay = new();
        SeededRun whole = await SeededRun.RunAsync(update: update);
        SeededRun compact = await SeededRun.RunAsync(update: update, further: Compact);
        SeededRun relayed = await SeededRun.RunAsync(update: update, further: Compact, relay: relay);

        // Round 1 starts from the initial adapter, which nobody has changed yet.
        Assert.Equal(whole.Records[0].BytesDown, compact.Records[0].BytesDown, 2_000.0);
        Assert.InRange(compact.Records[^1].BytesDown, 1, whole.Records[^1].BytesDown / fewerBytes);
        Assert.Equal(whole.Records[^1].Evaluation!.Loss, compact.Records[^1].Evaluation!.Loss, 0.05);
        Assert.Equal(compact.AdapterSha256, relayed.AdapterSha256);
        long down = relayed.Records.Sum(record => record.BytesDown);
        Assert.InRange(relay.BytesDown - down, 0, (0.01 * down) + (FramingPerContribution * relayed.Records.Sum(record => record.Accepted)));
    }

    [Theory]
    [InlineData("""{ "codec": "dense" }""", 1_000)]
    [InlineData("""{ "codec": "linear", "density": 1, "valueBits": 12, "exampleCap": 60 }""", 700)]
    public async Task Run_Directions_LearnsFromAmountsAloneAndSendsLessThanAKilobyteOfThem(string update, int mostBytes)
    {
        SeededRun run = await SeededRun.RunAsync(
            update: update, training: """{ "directions": { "count": 128 }, "learningRate": 0.002, "epochs": 4, "batchSize": 20 }""");

        Assert.All(run.Records, record => Assert.Equal(5, record.Accepted));
        Assert.InRange(run.Records[^1].BytesUp / 5, 1, mostBytes);
        Assert.True(run.Records[^1].TrainLoss < run.Records[0].TrainLoss, $"The training loss went from {run.Records[0].TrainLoss} to {run.Records[^1].TrainLoss}.");
    }

    [Theory]
    [InlineData("""{ "codec": "top-k", "density": 0.05, "momentum": 0.5 }""")]
    [InlineData("""{ "codec": "linear", "exampleCap": 60 }""")]
    public async Task Run_TwoThreads_GivesTheSameModel(string update)
    {
        SeededRun one = await SeededRun.RunAsync(update: update);
        SeededRun two = await SeededRun.RunAsync(threads: 2, update: update);
        Assert.Equal(one.AdapterSha256, two.AdapterSha256);
    }
}
