using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Storage;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>The same job over Azure Blob Storage and over files.</summary>
public sealed class StoreEquivalenceTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    [Fact]
    public async Task Run_OverAzureBlobStorage_GivesTheModelBytesOfFiles()
    {
        SeededRun files = await SeededRun.BaselineAsync();
        SeededRun azure = await SeededRun.RunAsync(
            new StorageOptions { Kind = StorageKind.Azure, ConnectionString = azurite.ConnectionString, Container = azurite.NextContainer() });

        Assert.Equal(files.Records.Select(record => record.AdapterSha256), azure.Records.Select(record => record.AdapterSha256));
        Assert.Equal(files.Records.Select(SeededRun.Repeatable), azure.Records.Select(SeededRun.Repeatable));
        Assert.Equal(files.AdapterSha256, azure.AdapterSha256);
    }
}
