using Federated.Testing;

namespace Federated.Server.Storage.Tests.Storage;

/// <summary>The tests that share one Azurite.</summary>
[CollectionDefinition(Name)]
public sealed class SharedAzurite : ICollectionFixture<AzuriteFixture>
{
    public const string Name = "Azurite";
}
