using Federated.Client.Session;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;
using Federated.Simulator.Faults;

namespace Federated.Simulator.Tests.Faults;

public sealed class PlannedWorkTests
{
    private static readonly PlanDocument _plan = ArrivalGateTests.Plan(cohort: 1, goal: 1);

    [Fact]
    public void Of_ADensePlan_IsTheAdapterDownAndFourBytesAParameterUp() =>
        Assert.Equal(new PlannedWork(BytesDown: 4_000, Examples: 600, BytesUp: 4_000), PlannedWork.Of(_plan, 600));

    [Fact]
    public void Of_ACompactDownlink_DownloadsTheShortestWayFromWhatIsHeld()
    {
        PlanDocument plan = _plan with
        {
            ModelVersion = 3,
            Offers = new AdapterOffers
            {
                Rounded = new ObjectReference(ContentHash.Of([1]), 1_100),
                Changes = [new AdapterChange(new ObjectReference(ContentHash.Of([2]), 60), null, 0)],
            },
        };

        Assert.Equal(1_100, PlannedWork.Of(plan, 600).BytesDown);
        Assert.Equal(1_100, PlannedWork.Of(plan, 600, new HeldAdapter(1, IsExact: true, new float[1_000])).BytesDown);
        Assert.Equal(60, PlannedWork.Of(plan, 600, new HeldAdapter(2, IsExact: true, new float[1_000])).BytesDown);
    }

    [Theory]
    [InlineData(3, 0, 10, 1_800)]
    [InlineData(3, 20, 10, 200)]
    [InlineData(3, 2, 0, 1_200)]
    public void Of_EpochsAndMostSteps_CountsTheExamplesSteppedOver(int epochs, int steps, int batch, long expected) =>
        Assert.Equal(expected, PlannedWork.Of(_plan with { Training = new LocalTrainingPlan { Epochs = epochs, MaxSteps = steps, BatchSize = batch } }, 600).Examples);

    [Fact]
    public void Of_ASparsePlan_SendsWhatItsCodecWrites()
    {
        PlainCodec codec = new() { Density = 0.01, Values = ValueEncoding.Block8 };
        double sent = PlannedWork.Of(_plan with { Codec = codec }, 600).BytesUp;
        Assert.Equal(codec.MaxLengthBytes(1_000), sent);
        Assert.True(sent < 200, $"{sent} B for ten values and their indices");
    }

    [Fact]
    public void Of_ALinearPlan_SendsItsPackedFieldsAndDownloadsASetThatIsTold()
    {
        LinearRound round = new()
        {
            Seed = 1,
            ParameterCount = 1_000,
            IndexSet = IndexSetKind.Random,
            SetSize = 100,
            ClipNorm = 1,
            Step = 0.01,
            WidthBits = 16,
            RotationBlock = 8,
            MinClients = 1,
            MaxClients = 10,
            MaxExamples = 600,
        };
        Assert.Equal(round.PackedBytes, PlannedWork.Of(_plan with { Linear = round }, 600).BytesUp);
        LinearRound told = round with { IndexSet = IndexSetKind.Momentum, Set = new ObjectReference(ContentHash.Of([1]), 90) };
        Assert.Equal((4_000, 4_090), (PlannedWork.Of(_plan with { Linear = round }, 600).BytesDown, PlannedWork.Of(_plan with { Linear = told }, 600).BytesDown));
        Assert.True(round.PackedBytes < 1_000, $"{round.PackedBytes} B for a hundred fields of 16 bits");
    }

    [Fact]
    public void Of_TrainingAlongDirections_SendsTheirAmounts() =>
        Assert.Equal(128 * 4, PlannedWork.Of(_plan with { Directions = new DirectionPlan(Seed: 1, Count: 128, Distance: 0.001) }, 600).BytesUp);
}
