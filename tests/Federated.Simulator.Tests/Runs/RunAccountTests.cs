using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Scenarios;

namespace Federated.Simulator.Tests.Runs;

public sealed class RunAccountTests
{
    [Theory]
    [MemberData(nameof(ScenarioCatalogTests.Names), MemberType = typeof(ScenarioCatalogTests))]
    public void NotesOf_ABuiltInScenario_IsNothing(string name) => Assert.Empty(RunAccount.NotesOf(ScenarioCatalog.Read(name), continued: false));

    [Theory]
    [InlineData("minimumPool=8", 8)]
    [InlineData("minimumPool=0", 4)]
    public void NotesOf_AScenarioThatDoesNotWaitForAllDevices_SaysThatRunsDoNotRepeat(string assignment, int waiting)
    {
        string note = Assert.Single(RunAccount.NotesOf(Read("overSelection=1", assignment), continued: false));
        Assert.StartsWith($"runs do not repeat: a cohort is selected when {waiting} of the 12 devices wait", note, StringComparison.Ordinal);
    }

    [Fact]
    public void NotesOf_ACohortOfAllDevices_IsNothing() =>
        Assert.Empty(RunAccount.NotesOf(Read("goal=12", "overSelection=1", "minimumPool=0"), continued: false));

    [Theory]
    [InlineData("fedsa", true, 1)]
    [InlineData("fedsa", false, 0)]
    [InlineData("fedit", true, 0)]
    public void NotesOf_FactorsThatDevicesKeep_AreLostWhenTheRunIsContinued(string rule, bool continued, int notes)
    {
        Scenario scenario = Read(
            """job.model={ "builder": "mlp", "inputs": 16, "hidden": [48], "classes": 4, "lora": { "rank": 4, "alpha": 8 } }""",
            $$"""job.aggregation.lora={ "rule": "{{rule}}" }""");
        Assert.Equal(notes, RunAccount.NotesOf(scenario, continued).Count(note => note.Contains("begin anew", StringComparison.Ordinal)));
    }

    private static Scenario Read(params string[] overrides) => ScenarioReader.Read(SmallDigits.Text, overrides).Scenario;
}
