using System.Net;
using System.Net.Sockets;
using Federated.Testing;

namespace Federated.Server.Storage.Tests.Storage;

[Collection(SharedAzurite.Name)]
public sealed class AzureBlobStoreTests(AzuriteFixture azurite) : BlobStoreConformance
{
    private readonly string _container = azurite.NextContainer();
    private AzureBlobStore? _store;

    public override IBlobStore Store => _store ??= new AzureBlobStore(azurite.ConnectionString, _container);

    [Fact]
    public async Task Read_ByASecondStoreOfTheContainer_SeesTheSameVersion()
    {
        string eTag = await Write("a", "one");
        AzureBlobStore second = new(azurite.ConnectionString, _container);

        Assert.Equal(eTag, (await second.ReadAsync("a", Token))?.ETag);
    }

    [Fact]
    public async Task Read_WithAWrongKey_IsAnIOExceptionThatNamesTheAnswer()
    {
        string connection = $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=AAAA;BlobEndpoint={azurite.Address}devstoreaccount1;";
        AzureBlobStore store = new(connection, _container);

        IOException e = await Assert.ThrowsAsync<IOException>(() => store.ReadAsync("a", Token));

        Assert.Contains("the service answered 403", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_WithNobodyListening_IsAnIOException()
    {
        // Held, so that nobody else is given the port, but not listened on.
        using Socket held = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        held.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)held.LocalEndPoint!).Port;
        AzureBlobStore store = new($"DefaultEndpointsProtocol=http;AccountName=x;AccountKey=AAAA;BlobEndpoint=http://127.0.0.1:{port}/x;", _container);

        IOException e = await Assert.ThrowsAsync<IOException>(() => store.WriteAsync("a", Sequences.Of("x"), WriteCondition.Always, Token));

        Assert.Contains("the last of 5 attempts failed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WithABrokenConnectionString_NamesTheForm()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new AzureBlobStore("AccountKey=secret", "jobs"));
        Assert.Contains("AccountName=", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }
}
