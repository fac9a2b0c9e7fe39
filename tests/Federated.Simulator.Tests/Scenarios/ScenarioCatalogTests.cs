using Federated.Server.Jobs;
using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.Tests.Scenarios;

public sealed class ScenarioCatalogTests
{
    public static TheoryData<string> Names => [.. ScenarioCatalog.Names];

    [Fact]
    public void Names_TheDefault_ComesFirst() =>
        Assert.Equal(
            ["mnist-2nn-secure", "mnist-2nn-iid", "mnist-2nn-shards", "mnist-2nn-unreliable", "mnist-cnn-iid", "mnist-cnn-shards", "mnist-vit-lora", "sotu-gpt-lora"],
            ScenarioCatalog.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_ABuiltInScenario_IsSoundAndItsFilesShipWithTheProgram(string name)
    {
        (string json, string folder) = ScenarioCatalog.Find(name);
        ReadScenario located = ScenarioReader.Locate(ScenarioReader.Read(json, []), folder, readsHeldOut: true);
        ScenarioReader.Locate(ScenarioReader.Read(json, []), folder, readsHeldOut: true, demandsBase: true, readsPretraining: true);
        Assert.Equal(name, located.Scenario.Name);
        Assert.NotEmpty(located.Scenario.Description);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_ABuiltInScenarioForAServerThatOthersUse_HasAPopulationOfItsOwn(string name) =>
        Assert.Equal($"{name}-ab12", ScenarioReader.Read(ScenarioCatalog.Find(name).Json, [], "ab12").Scenario.Job.Population);

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_OtherNumberOfDevices_WaitsForAllOfThem(string name)
    {
        foreach (int devices in new[] { 50, 200 })
        {
            Scenario scenario = ScenarioReader.Read(ScenarioCatalog.Find(name).Json, [$"devices={devices}"]).Scenario;
            Assert.Equal(devices, scenario.Job.Cohort.MinimumPool);
        }
    }

    // McMahan et al. 2017, arXiv 1602.05629, tables 1 and 2.
    [Theory]
    [InlineData("mnist-2nn-iid", 0.97, 1, 87)]
    [InlineData("mnist-2nn-shards", 0.97, 1, 664)]
    [InlineData("mnist-cnn-iid", 0.99, 5, 20)]
    [InlineData("mnist-cnn-shards", 0.99, 5, 229)]
    public void Read_APublishedSetting_HasItsNumbers(string name, double target, int epochs, int rounds)
    {
        Scenario scenario = ScenarioCatalog.Read(name);
        Assert.Equal(target, scenario.Job.TargetAccuracy);
        Assert.Equal(epochs, scenario.Job.Training.Epochs);
        Assert.Equal(10, scenario.Job.Training.BatchSize);
        Assert.Equal(10, scenario.Job.Cohort.CohortSize);
        Assert.Equal(100, scenario.Population.Devices);
        Assert.Equal(rounds, scenario.Published!.RoundsToTarget);
    }

    [Theory]
    [InlineData(229)]
    [InlineData(229, "training.learningRate=0.1", "job.rounds=400", "evaluation.every=2", "job.training.epochs=5")]
    [InlineData(null, "epochs=1")]
    [InlineData(null, "goal=20")]
    [InlineData(null, "shardsPerDevice=3")]
    [InlineData(null, "evaluation.limit=20")]
    [InlineData(null, "dropRate=0.5")]
    [InlineData(null, "job.training={\"epochs\":1,\"learningRate\":0.05}")]
    [InlineData(350, "epochs=1", "published.roundsToTarget=350")]
    public void Read_AnotherExperiment_LosesThePublishedFigureUnlessOneIsStated(int? rounds, params string[] overrides)
    {
        Scenario scenario = ScenarioReader.Read(ScenarioCatalog.Find("mnist-cnn-shards").Json, overrides).Scenario;
        Assert.Equal(rounds, scenario.Published?.RoundsToTarget);
    }

    [Fact]
    public void Read_TheDefault_IsMaskedCompressedAndLosesDevices()
    {
        Scenario scenario = ScenarioCatalog.Read(ScenarioCatalog.DefaultName);
        Assert.NotNull(scenario.Job.Aggregation.Secure);
        Assert.Equal(UpdateCodec.Linear, scenario.Job.Update.Codec);
        Assert.True(scenario.Faults.DropRate >= 0.1);
        Assert.Equal((0.97, 87), (scenario.Job.TargetAccuracy, scenario.Job.Rounds));
        Assert.Equal(scenario.Job.Rounds, scenario.Published!.RoundsToTarget);
    }

    [Theory]
    [InlineData("mnist-2nn-secure", "secure aggregation on, the server sees sums alone; codec linear; 10 % of the selected devices drop out")]
    [InlineData("mnist-2nn-iid", "secure aggregation off, the server sees every update (on: run --scenario mnist-2nn-secure); codec dense")]
    public void UpdatesOf_AScenario_SaysWhatTheServerSees(string name, string words) =>
        Assert.Equal(words, RunAccount.UpdatesOf(ScenarioCatalog.Read(name)));

    [Fact]
    public void Find_Misspelt_NamesTheNearest()
    {
        InvalidSettingsException refusal = Assert.Throws<InvalidSettingsException>(() => ScenarioCatalog.Find("mnist-2nn-idd"));
        Assert.Contains("did you mean mnist-2nn-iid?", refusal.Message, StringComparison.Ordinal);
    }
}
