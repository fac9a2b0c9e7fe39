using System.CommandLine;
using Federated.Server.Cli;
using Federated.Testing;

namespace Federated.Server.Tests.Cli;

/// <summary>What the documents tell people to type is taken.</summary>
public sealed class DocumentedCommandTests
{
    public static TheoryData<string, string[]> Commands =>
    [
        .. DocumentedCommands.Of("server", "Federated.Server", "dotnet run -c Release --project Server/Federated.Server --")
            .Select(command => new TheoryDataRow<string, string[]>(command.Place, command.Arguments)),
    ];

    [Fact]
    public void Commands_AreFound() => Assert.True(Commands.Count > 25, $"{Commands.Count} command lines of the server in the documents.");

    [Theory]
    [MemberData(nameof(Commands))]
    public void Parse_ADocumentedCommand_HasNoErrors(string place, string[] arguments)
    {
        ParseResult parsed = ServerCommandLine.Build().Parse(arguments);
        Assert.True(parsed.Errors.Count == 0, $"{place}: {string.Join(" ", parsed.Errors.Select(error => error.Message))}");
    }
}
