using Federated.Modeling.Costs;

namespace Federated.Modeling.Tests.Costs;

public sealed class DeviceRoundCostTests
{
    private static readonly ModelPackage _package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp }, 1);

    private static readonly DeviceProfile _device = new()
    {
        Name = "round numbers",
        GigaflopsPerSecond = 1,
        MemoryGigabytesPerSecond = 1000,
        NodeMicroseconds = 1e-6,
        AvailableMemoryMegabytes = 100,
        RuntimeMegabytes = 10,
        TrainingWatts = 5,
        TransferWatts = 2,
        DownlinkMegabitsPerSecond = 8,
        UplinkMegabitsPerSecond = 4,
    };

    private static readonly RoundWork _work = new(10, 600, 2, null, 0, null);

    // With fast memory and free nodes only the products take time, at a billion operations a second.
    [Fact]
    public void Predict_RoundNumbers_AddsUp()
    {
        DeviceRoundCost cost = DeviceRoundCost.Predict(_package, _device, _work);

        Assert.Equal(120, cost.Steps);
        Assert.Equal(cost.Step.ProductFlops * 1e-9, cost.StepSeconds, cost.StepSeconds * 0.01);
        Assert.Equal(120 * cost.StepSeconds, cost.TrainingSeconds, 1e-9);
        long bytes = 4 * 199_210;
        Assert.Equal((bytes, bytes), (cost.DownBytes, cost.UpBytes));
        Assert.Equal((bytes / 1e6) + (bytes / 0.5e6), cost.TransferSeconds, 1e-9);
        Assert.Equal((5 * cost.TrainingSeconds) + (2 * cost.TransferSeconds), cost.EnergyJoules, 1e-9);
        Assert.InRange(cost.PeakMemoryBytes, 10e6 + (4 * bytes), 10e6 + (4 * bytes) + 2e6);
        Assert.True(cost.Fits);
    }

    [Fact]
    public void Predict_PartOfTheParameters_IsWhatIsSentAndStepped()
    {
        DeviceProfile slow = _device with { MemoryGigabytesPerSecond = 0.1 };
        RoundWork work = _work with { OptimizerSlots = 2 };
        DeviceRoundCost all = DeviceRoundCost.Predict(_package, slow, work);
        DeviceRoundCost part = DeviceRoundCost.Predict(_package, slow, work with { SentCount = 1000, TrainedCount = 2000 });

        Assert.Equal((all.DownBytes, 4000), (part.DownBytes, part.UpBytes));
        Assert.Equal(7 * 4 * (199_210 - 2000) / 0.1e9, all.StepSeconds - part.StepSeconds, 1e-9);
        Assert.Equal(2 * 4 * (199_210 - 2000), all.PeakMemoryBytes - part.PeakMemoryBytes, 1);
    }

    // Two passes forward in the place of one forward and back: no gradients lie in memory, and the graph that is fetched is the other one.
    [Fact]
    public void Predict_AlongDirections_RunsTheLossTwice()
    {
        DeviceRoundCost cost = DeviceRoundCost.Predict(_package, _device, _work with { AlongDirections = true, SentCount = 16 });
        DeviceRoundCost gradients = DeviceRoundCost.Predict(_package, _device, _work);

        double forward = 2.0 * 10 * ((784 * 200) + (200 * 200) + (200 * 10));
        Assert.Equal((gradients.DownBytes, 64), (cost.DownBytes, cost.UpBytes));
        Assert.InRange(cost.Step.ProductFlops, 2 * forward, 2.01 * forward);
        Assert.Equal(_package.Manifest.Evaluation.LengthBytes, cost.PackageBytes);
        Assert.True(cost.PeakMemoryBytes < gradients.PeakMemoryBytes, $"{cost.PeakMemoryBytes} and {gradients.PeakMemoryBytes}");
    }

    [Fact]
    public void Predict_SlowMemory_DecidesOverTheProducts()
    {
        DeviceRoundCost fast = DeviceRoundCost.Predict(_package, _device, _work);
        DeviceRoundCost slow = DeviceRoundCost.Predict(_package, _device with { MemoryGigabytesPerSecond = 0.01 }, _work);

        Assert.True(slow.StepSeconds > 10 * fast.StepSeconds, $"{slow.StepSeconds} and {fast.StepSeconds}");
    }

    [Fact]
    public void Predict_TooLittleMemoryOrTime_SaysWhy()
    {
        DeviceRoundCost small = DeviceRoundCost.Predict(_package, _device with { AvailableMemoryMegabytes = 12 }, _work);
        DeviceRoundCost late = DeviceRoundCost.Predict(_package, _device, _work with { ReportSeconds = 1 });

        Assert.Contains("the device has 12", Assert.Single(small.Obstacles), StringComparison.Ordinal);
        Assert.Contains("the job allows 1", Assert.Single(late.Obstacles), StringComparison.Ordinal);
        Assert.False(small.Fits || late.Fits);
    }

    [Fact]
    public void Predict_NoExamples_NamesOnlyWhatWasStated()
    {
        string message = Assert.Throws<ArgumentException>(() => DeviceRoundCost.Predict(_package, _device, _work with { Examples = -3 })).Message;

        Assert.StartsWith("-3 examples and 2 epochs make no round", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_MostSteps_LimitTheRound() => Assert.Equal(7, DeviceRoundCost.Predict(_package, _device, _work with { MaxSteps = 7 }).Steps);

    [Fact]
    public void Find_KnownDevices_HaveSourcesForTheirNumbers() => Assert.All(DeviceProfile.Known, name =>
    {
        DeviceProfile profile = DeviceProfile.Find(name);
        Assert.Equal(name, profile.Name);
        Assert.True(profile.Sources.Count >= 4 && profile.Description is not null);
    });

    [Theory]
    [InlineData("""{ "name": "x" }""", "cannot be read")]
    [InlineData("""{ "name": "x", "speed": 1 }""", "speed")]
    [InlineData("""{ "name": "x", "gigaflopsPerSecond": 0, "memoryGigabytesPerSecond": 1, "nodeMicroseconds": 1, "availableMemoryMegabytes": 1, "runtimeMegabytes": 1, "trainingWatts": 1, "transferWatts": 1, "downlinkMegabitsPerSecond": 1, "uplinkMegabitsPerSecond": 1 }""", "gigaflopsPerSecond = 0")]
    public void Find_FileThatIsNoProfile_IsRefused(string content, string expected)
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, content);

        string message = Assert.Throws<InvalidDataException>(() => DeviceProfile.Find(file)).Message;

        File.Delete(file);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_UnknownDevice_NamesTheKnownOnes() =>
        Assert.Contains("pi4, pi5, jetson-orin-nano", Assert.Throws<InvalidDataException>(() => DeviceProfile.Find("pi9")).Message, StringComparison.Ordinal);
}
