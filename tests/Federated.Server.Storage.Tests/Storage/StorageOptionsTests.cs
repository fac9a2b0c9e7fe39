using Federated.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Federated.Server.Storage.Tests.Storage;

public sealed class StorageOptionsTests
{
    [Fact]
    public void Validate_Defaults_Pass() => new StorageOptions().Validate();

    [Theory]
    [InlineData(StorageKind.Files, "", null, "federated", "Storage.Path")]
    [InlineData(StorageKind.Azure, "x", null, "federated", "Storage.ConnectionString")]
    [InlineData(StorageKind.Azure, "x", "foo", "federated", "--azure-connection) is not well-formed; expected is")]
    [InlineData(StorageKind.Azure, "x", "=", "federated", "not well-formed")]
    [InlineData(StorageKind.Azure, "x", "AccountName=a", "federated", "not well-formed")]
    [InlineData(StorageKind.Azure, "x", "AccountName=a;AccountKey=%;BlobEndpoint=https://a/", "federated", "not well-formed")]
    [InlineData(StorageKind.Azure, "x", "AccountName=a;AccountKey=YQ==;BlobEndpoint=here", "federated", "not well-formed")]
    [InlineData(StorageKind.Azure, "x", "UseDevelopmentStorage=true", "Upper", "'Upper'")]
    [InlineData(StorageKind.Azure, "x", "UseDevelopmentStorage=true", "ab", "'ab'")]
    [InlineData(StorageKind.Azure, "x", "UseDevelopmentStorage=true", "a--b", "'a--b'")]
    [InlineData(StorageKind.Azure, "x", "UseDevelopmentStorage=true", "-ab", "'-ab'")]
    [InlineData((StorageKind)7, "x", null, "federated", "Storage.Kind is 7")]
    public void Validate_AFault_IsNamed(StorageKind kind, string path, string? connection, string container, string named)
    {
        StorageOptions options = new() { Kind = kind, Path = path, ConnectionString = connection, Container = container };

        OptionsValidationException e = Assert.Throws<OptionsValidationException>(() => new ServiceCollection().AddFederatedStorage(options));

        Assert.Contains(named, Assert.Single(e.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddFederatedStorage_Files_GivesOneStoreAndFreesTheFolderAtTheEnd()
    {
        using TemporaryFolder folder = new();
        for (int i = 0; i < 2; i++)
        {
            ServiceCollection services = new();
            services.AddFederatedStorage(new StorageOptions { Path = folder.Path });
            await using ServiceProvider provider = services.BuildServiceProvider();

            Assert.IsType<FileBlobStore>(provider.GetRequiredService<IBlobStore>());
            Assert.NotNull(provider.GetRequiredService<ContentStore>());
        }
    }

    [Fact]
    public async Task AddFederatedStorage_Azure_GivesTheAzureStore()
    {
        ServiceCollection services = new();
        services.AddFederatedStorage(new StorageOptions { Kind = StorageKind.Azure, ConnectionString = "UseDevelopmentStorage=true" });
        await using ServiceProvider provider = services.BuildServiceProvider();

        Assert.IsType<AzureBlobStore>(provider.GetRequiredService<IBlobStore>());
    }
}
