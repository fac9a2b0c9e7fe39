using Federated.Server.Jobs;

namespace Federated.Server.Tests.Jobs;

public sealed class TrainingSettingsTests
{
    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(6, 0.055)]
    [InlineData(11, 0.01)]
    [InlineData(12, 0.01)]
    public void In_FinalRateStated_FallsAlongACosine(long round, double expected)
    {
        TrainingSettings settings = new() { LearningRate = 0.1, FinalLearningRate = 0.01 };

        Assert.Equal(expected, settings.In(round, 11).ToPlan().LearningRate, 1e-12);
    }

    [Fact]
    public void In_OneRoundOnly_TakesTheFirstRate() => Assert.Equal(0.1, new TrainingSettings { LearningRate = 0.1, FinalLearningRate = 0.01 }.In(1, 1).LearningRate);

    [Fact]
    public void In_NoFinalRate_ChangesNothing()
    {
        TrainingSettings settings = new() { LearningRate = 0.1 };

        Assert.Same(settings, settings.In(7, 10));
    }
}
