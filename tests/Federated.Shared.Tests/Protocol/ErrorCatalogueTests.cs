using Federated.Shared.Protocol;
using Federated.Testing;

namespace Federated.Shared.Tests.Protocol;

public sealed class ErrorCatalogueTests
{
    [Fact]
    public void Entries_EveryCode_IsThereOnceInOrder() =>
        Assert.Equal(Enum.GetValues<ErrorCode>().Order(), ErrorCatalogue.Entries.Select(entry => entry.Code));

    [Fact]
    public void For_EveryCode_GivesItsEntry() => Assert.All(Enum.GetValues<ErrorCode>(), code => Assert.Equal(code, ErrorCatalogue.For(code).Code));

    [Fact]
    public void Entries_Advice_IsASentence() => Assert.All(ErrorCatalogue.Entries, entry => Assert.Matches("^[A-Z].*\\.$", entry.Advice));

    [Fact]
    public void ProtocolDocument_Table_IsTheCatalogue()
    {
        string[] documented = [.. File.ReadLines(Path.Combine(RepositoryRoot.Find(), "docs", "PROTOCOL.md"))
            .SkipWhile(line => line != "| Code | Name | gRPC status | HTTP | Retry | What to do |")
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))];

        Assert.Equal(ErrorCatalogue.Entries.Select(Row), documented);
    }

    private static string Row(ErrorCatalogue.Entry entry) =>
        $"| {(int)entry.Code} | {entry.Code} | {entry.Status} | {entry.HttpStatus} | {(entry.Retriable ? "yes" : "no")} | {entry.Advice} |";
}
