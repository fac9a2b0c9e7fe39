using Federated.Server.Jobs;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Runs;
using Federated.Testing;

namespace Federated.Simulator.Tests.Scenarios;

public sealed class ScenarioExamplesTests
{
    [Theory]
    [InlineData("iid", "population.devices: 12 for 11 examples is not allowed; allowed is at most 11, so that each device has an example; or a larger data.take")]
    [InlineData("shards", "population.devices: 12 of 2 shards each for 11 examples is not allowed; allowed is at most 5, so that each shard has an example; or a larger data.take")]
    [InlineData("dirichlet", "population.devices: 12 for 11 examples is not allowed; allowed is at most 11, so that each device has an example; or a larger data.take")]
    public void Open_FewerExamplesThanDevices_IsRefusedByWhatIsAllowed(string partition, string expected)
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        InvalidSettingsException refused = Assert.Throws<InvalidSettingsException>(() => ScenarioExamples.Open(
            SmallDigits.Scenario(folder.Path, $$"""population={ "devices": 12, "partition": "{{partition}}" }""", "data.take=11").Scenario));
        Assert.Equal(expected, Assert.Single(refused.Problems).ToString());
    }
}
