using System.CommandLine;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Scenarios;
using Federated.Testing;

namespace Federated.Simulator.Tests.CommandLine;

/// <summary>What the documents tell people to type is taken.</summary>
public sealed class DocumentedCommandTests
{
    // Words that stand for a reader's own.
    private static readonly Dictionary<string, string> _standIns = new(StringComparer.Ordinal)
    {
        ["SEED"] = "1", ["ENGINE"] = "onnx", ["NAME"] = ScenarioCatalog.DefaultName, ["job.model.baseBits=BITS"] = "job.model.baseBits=8",
    };

    public static TheoryData<string, string[]> Commands =>
    [
        .. DocumentedCommands.Of("sim", "simulator", "dotnet run -c Release --project Simulator/Federated.Simulator --", "dotnet run -c Release --project Simulator/Federated.Simulator -p:TorchEngine=true --")
            .Select(command => new TheoryDataRow<string, string[]>(
                command.Place, [.. command.Arguments.Where(word => word != "SETTINGS").Select(word => _standIns.GetValueOrDefault(word, word))])),
    ];

    [Fact]
    public void CommandOfTheFleetsPage_IsTaken()
    {
        const string Page = "Server/Federated.Server/Dashboard/Pages/Fleet.razor";
        const string Program = "--project Simulator/Federated.Simulator -- ";
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Find(), Page));
        int start = page.IndexOf(Program, StringComparison.Ordinal) + Program.Length;
        string command = page[start..page.IndexOf("</pre>", start, StringComparison.Ordinal)].Replace("@Navigation.BaseUri", "http://localhost:5400/", StringComparison.Ordinal);
        string[] arguments = command.Split((char[])[' ', '\\', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

        Parse_ADocumentedCommand_HasNoErrors(Page, arguments);
        Read_TheOverridesOfADocumentedCommand_AreTaken(Page, arguments);
    }

    [Fact]
    public void Commands_AreFound() => Assert.True(Commands.Count > 40, $"{Commands.Count} command lines of the simulator in the documents.");

    [Theory]
    [MemberData(nameof(Commands))]
    public void Parse_ADocumentedCommand_HasNoErrors(string place, string[] arguments)
    {
        ParseResult parsed = SimulatorCommandLine.Build().Parse(arguments);
        Assert.True(parsed.Errors.Count == 0, $"{place}: {string.Join(" ", parsed.Errors.Select(error => error.Message))}");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Read_TheOverridesOfADocumentedCommand_AreTaken(string place, string[] arguments)
    {
        string scenario = After("--scenario").FirstOrDefault(ScenarioCatalog.DefaultName);
        if (ScenarioCatalog.Names.Contains(scenario))
        {
            ReadScenario? read = null;
            Exception? refused = Record.Exception(() => read = ScenarioReader.Read(ScenarioCatalog.Find(scenario).Json, After("--set")));
            Assert.True(refused is null, $"{place}: {refused?.Message}");
            Assert.True(read!.Scenario.Job.Aggregation.Secure is null || !arguments.Contains("--server"), $"{place}: {scenario} enrolls its devices with the simulator's own server alone.");
        }

        IEnumerable<string> After(string option) => arguments.Index().Where(word => word.Index > 0 && arguments[word.Index - 1] == option).Select(word => word.Item);
    }
}
