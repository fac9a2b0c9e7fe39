using Federated.Server.Jobs;
using Federated.Simulator.Population;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.Tests.Scenarios;

public sealed class ScenarioReaderTests
{
    private const string Minimal = """
        {
          "name": "mine",
          "job": { "model": { "builder": "mlp" } },
          "data": { "kind": "idx", "images": "a.gz", "labels": "b.gz" }
        }
        """;

    [Fact]
    public void Read_Minimal_CompletesTheJobAfterTheScenario()
    {
        Scenario scenario = Read().Scenario;
        Assert.Equal("mine", scenario.Job.Name);
        Assert.Equal("mine", scenario.Job.Population);
        Assert.Equal(100, scenario.Population.Devices);
        Assert.Equal(100, scenario.Job.Cohort.MinimumPool);
    }

    [Fact]
    public void Read_ASuffixOfThePopulation_MakesOneThatIsLeftOutTheRunsOwn()
    {
        Scenario own = ScenarioReader.Read(Minimal, [], "0a1b2c3d").Scenario;
        Assert.Equal(("mine", "mine-0a1b2c3d"), (own.Job.Name, own.Job.Population));
        Assert.Equal("sensors", ScenarioReader.Read(Minimal, ["job.population=sensors"], "0a1b2c3d").Scenario.Job.Population);
    }

    [Fact]
    public void Read_MinimumPoolGiven_KeepsIt() => Assert.Equal(0, Read("minimumPool=0").Scenario.Job.Cohort.MinimumPool);

    [Fact]
    public void Read_OverrideByUnambiguousEnd_ReachesTheSetting()
    {
        Scenario scenario = Read("goal=20", "training.learningRate=0.05", "partition=dirichlet", "alpha=0.1", "model.hidden=[64]").Scenario;
        Assert.Equal(20, scenario.Job.Cohort.Goal);
        Assert.Equal(0.05, scenario.Job.Training.LearningRate);
        Assert.Equal(PartitionScheme.Dirichlet, scenario.Population.Partition);
        Assert.Equal(0.1, scenario.Population.Alpha);
        Assert.Equal([64], scenario.Job.Model.Hidden!);
    }

    [Fact]
    public void Read_OverrideOfAnArrayElement_ReachesIt() =>
        Assert.Equal([100, 7], Read("job.model.hidden=[200, 7]", "hidden.0=100").Scenario.Job.Model.Hidden!);

    [Fact]
    public void Read_OverridesInOrder_TheLastWins() => Assert.Equal(7, (int)Read("seed=3", "job.seed=7").Scenario.Job.Seed);

    [Theory]
    [InlineData("goal", "goal: the override is not allowed")]
    [InlineData("gaol=3", "did you mean goal?")]
    [InlineData("learningRate=0.1", "job.training.learningRate or job.server.learningRate")]
    [InlineData("job.cohort.gaol=3", "job.cohort.gaol: the unknown key with value 3")]
    [InlineData("devices=ten", "population.devices: \"ten\"")]
    [InlineData("dropRate=1.5", "faults.dropRate: 1.5")]
    [InlineData("partition=random", "population.partition: \"random\" is not allowed; allowed is iid, shards, dirichlet")]
    [InlineData("devices=5", "population.devices: 5 with cohorts of 13")]
    [InlineData("minimumPool=200", "population.devices: 100 with job.cohort.minimumPool = 200")]
    [InlineData("minimumPool=200", "every round would wait job.deadlines.selectSeconds")]
    [InlineData("population=mine", "population: \"mine\"")]
    [InlineData("alpha=0.5", "population.alpha: this key with partition = iid")]
    [InlineData("shardsPerDevice=3", "population.shardsPerDevice: this key with partition = iid")]
    [InlineData("targetAccuracy=0.9", "job.targetAccuracy: 0.9 without evaluation")]
    [InlineData("""pretraining={ "data": { "kind": "idx", "images": "a", "labels": "b" }, "stages": [{ "directions": { "count": 8 } }] }""", "pretraining.stages[0].directions: this key in a stage")]
    [InlineData("data.kind=csv", "data.kind: \"csv\"")]
    public void Read_WhatCannotBe_IsRefusedByPathAndValue(string assignment, string expected)
    {
        InvalidSettingsException refusal = Assert.Throws<InvalidSettingsException>(() => Read(assignment));
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TwoProfilesOfOneName_IsRefused()
    {
        InvalidSettingsException refusal = Assert.Throws<InvalidSettingsException>(() => Read("""profiles=[{"name":"pi"},{"name":"pi"}]"""));
        Assert.Contains("population.profiles[1].name: pi", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SeveralProblems_TellsAllOfThem()
    {
        InvalidSettingsException refusal = Assert.Throws<InvalidSettingsException>(() => Read("dropRate=2", "epochs=0", "job.colour=red"));
        Assert.Equal(3, refusal.Problems.Count);
    }

    [Fact]
    public void Locate_MissingFiles_NamesThemAbsolute()
    {
        InvalidSettingsException refusal = Assert.Throws<InvalidSettingsException>(() => ScenarioReader.Locate(Read(), "/nowhere", readsHeldOut: true));
        Assert.Equal(["data.images", "data.labels"], refusal.Problems.Select(problem => problem.Path));
        Assert.Equal("/nowhere/a.gz", refusal.Problems[0].Value);
    }

    [Fact]
    public void Locate_FilesThatAreNotReadHere_AreNotDemanded()
    {
        const string Pretraining = """pretraining={ "data": { "kind": "idx", "images": "c.gz", "labels": "d.gz" }, "stages": [{}] }""";
        Assert.Equal(["data.images", "data.labels", "job.model.base"], Missing());
        Assert.Equal(["data.images", "data.labels"], Missing(demandsBase: false));
        Assert.Equal(["pretraining.data.images", "pretraining.data.labels"], Missing(demandsBase: false, readsPretraining: true));

        IEnumerable<string> Missing(bool demandsBase = true, bool readsPretraining = false) => Assert
            .Throws<InvalidSettingsException>(() => ScenarioReader.Locate(Read(Pretraining, "job.model.base=b.safetensors"), "/nowhere", readsHeldOut: true, demandsBase, readsPretraining))
            .Problems.Select(problem => problem.Path);
    }

    [Fact]
    public void Read_WhatItWrote_IsTheSame()
    {
        ReadScenario read = Read("goal=5");
        Assert.Equal(read.Json, ScenarioReader.Read(read.Json, []).Json);
    }

    private static ReadScenario Read(params string[] overrides) => ScenarioReader.Read(Minimal, overrides);
}
