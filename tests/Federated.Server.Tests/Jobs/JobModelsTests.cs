using Federated.Server.Collection;
using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Server.Tests.Storage;
using Federated.Testing;

namespace Federated.Server.Tests.Jobs;

/// <summary>Whose fault it is when a model cannot be had.</summary>
public sealed class JobModelsTests
{
    private readonly FullDisk _store = new();
    private readonly JobModels _models;

    public JobModelsTests()
    {
        ContentStore content = new(_store);
        _models = new JobModels(_store, content, new PackageStore(content), new HotObjects(content));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Check_StoreIsFull_IsNotTheModelsFault()
    {
        IOException failure = await Assert.ThrowsAsync<IOException>(() => _models.CheckAsync(Spec("""{ "builder": "vector", "parameters": 4 }"""), Stop));

        Assert.Equal("No space left on device", StoreFailure.ReasonOf(failure));
    }

    [Theory]
    [InlineData("""{ "package": "FOLDER/none" }""")]
    [InlineData("""{ "builder": "mlp", "inputs": 4, "hidden": [3], "classes": 2, "base": "FOLDER/none.safetensors" }""")]
    public async Task Check_FileOfTheSpecIsNotThere_IsTheModelsFault(string model)
    {
        using TemporaryFolder folder = new();

        InvalidSettingsException refused = await Assert.ThrowsAsync<InvalidSettingsException>(
            () => _models.CheckAsync(Spec(model.Replace("FOLDER", folder.Path, StringComparison.Ordinal)), Stop));

        Assert.Contains("a model that cannot be had", refused.Message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, refused.Message, StringComparison.Ordinal);
    }

    private static JobSpec Spec(string model) => JobSpec.Parse($$"""{ "name": "p", "population": "p", "model": {{model}} }""");
}
