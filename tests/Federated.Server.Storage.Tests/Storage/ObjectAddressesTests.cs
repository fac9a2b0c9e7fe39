using System.Net;
using System.Net.Http.Headers;
using Federated.Shared.Models;
using Federated.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Federated.Server.Storage.Tests.Storage;

[Collection(SharedAzurite.Name)]
public sealed class ObjectAddressesTests(AzuriteFixture azurite)
{
    private static readonly byte[] _large = [.. Enumerable.Range(0, (int)ObjectAddresses.LeastBytes + 1000).Select(i => (byte)(i % 253))];
    private static readonly HttpClient _http = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FindAsync_LargeObject_GivesAnAddressThatReadsItAndDoesNothingElse()
    {
        (ObjectAddresses addresses, ContentStore content) = Open(5);
        ContentHash hash = await content.PutAsync(_large, Ct);
        ContentHash other = await content.PutAsync((ReadOnlyMemory<byte>)new byte[] { 1, 2, 3 }, Ct);

        ObjectAddress place = (await addresses.FindAsync(hash, 0, Ct))!.Value;

        Assert.Equal(_large.Length, place.LengthBytes);
        Assert.Equal(_large, await _http.GetByteArrayAsync(place.Address, Ct));
        using (HttpRequestMessage rest = new(HttpMethod.Get, place.Address))
        {
            rest.Headers.Range = new RangeHeaderValue(1000, null);
            using HttpResponseMessage answer = await _http.SendAsync(rest, Ct);
            Assert.Equal(HttpStatusCode.PartialContent, answer.StatusCode);
            Assert.Equal(_large[1000..], await answer.Content.ReadAsByteArrayAsync(Ct));
        }

        await AssertRefusedAsync(HttpMethod.Put, place.Address);
        await AssertRefusedAsync(HttpMethod.Delete, place.Address);
        await AssertRefusedAsync(HttpMethod.Get, new Uri(place.Address.AbsoluteUri.Replace(hash.Hex[2..], other.Hex[2..], StringComparison.Ordinal).Replace($"/{hash.Hex[..2]}/", $"/{other.Hex[..2]}/", StringComparison.Ordinal)));
        await AssertRefusedAsync(HttpMethod.Get, new Uri($"{place.Address.GetLeftPart(UriPartial.Authority)}{string.Concat(place.Address.Segments[..3]).TrimEnd('/')}{place.Address.Query}&restype=container&comp=list"));
    }

    [Fact]
    public async Task FindAsync_AfterItsMinutes_TheAddressIsRefused()
    {
        (ObjectAddresses addresses, ContentStore content) = Open(5, new LateClock());
        ContentHash hash = await content.PutAsync(_large, Ct);

        ObjectAddress place = (await addresses.FindAsync(hash, 0, Ct))!.Value;

        await AssertRefusedAsync(HttpMethod.Get, place.Address);
    }

    [Fact]
    public async Task FindAsync_OffAbsentSmallOrNearlyDone_GivesNone()
    {
        (ObjectAddresses addresses, ContentStore content) = Open(60);
        ContentHash hash = await content.PutAsync(_large, Ct);
        ContentHash small = await content.PutAsync(_large.AsMemory(0, 100), Ct);

        Assert.NotNull(await addresses.FindAsync(hash, 1000, Ct));
        Assert.Null(await addresses.FindAsync(hash, 1001, Ct));
        Assert.Null(await addresses.FindAsync(hash, (ulong)_large.Length, Ct));
        Assert.Null(await addresses.FindAsync(hash, ulong.MaxValue, Ct));
        Assert.Null(await addresses.FindAsync(small, 0, Ct));
        Assert.Null(await addresses.FindAsync(ContentHash.Of([9]), 0, Ct));
        Assert.Null(await Open(0).Addresses.FindAsync(hash, 0, Ct));
    }

    [Theory]
    [InlineData(StorageKind.Azure, "UseDevelopmentStorage=true", 61, "allowed are 1 to 60")]
    [InlineData(StorageKind.Azure, "UseDevelopmentStorage=true", -1, "allowed are 1 to 60")]
    [InlineData(StorageKind.Files, null, 5, "a folder, which has no addresses")]
    [InlineData(StorageKind.Azure, "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;BlobEndpoint=http://store.example/a", 5, "is not https")]
    [InlineData(StorageKind.Azure, "BlobEndpoint=https://a.blob.example;SharedAccessSignature=sv=2022-11-02&sig=x", 5, "no account key")]
    public void Validate_DirectDownloadsThatCannotBe_SayWhy(StorageKind kind, string? connection, int minutes, string named)
    {
        StorageOptions options = new() { Kind = kind, ConnectionString = connection, DirectDownloadMinutes = minutes };

        OptionsValidationException e = Assert.Throws<OptionsValidationException>(() => new ServiceCollection().AddFederatedStorage(options));

        Assert.Contains(named, Assert.Single(e.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_HttpsWithAKey_Passes() => new StorageOptions
    {
        Kind = StorageKind.Azure, ConnectionString = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=AAAA;EndpointSuffix=core.windows.net", DirectDownloadMinutes = 60,
    }.Validate();

    private static async Task AssertRefusedAsync(HttpMethod method, Uri address)
    {
        using HttpRequestMessage request = new(method, address);
        if (method == HttpMethod.Put)
        {
            request.Headers.Add("x-ms-blob-type", "BlockBlob");
            request.Content = new ByteArrayContent([1]);
        }

        using HttpResponseMessage answer = await _http.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private (ObjectAddresses Addresses, ContentStore Content) Open(int minutes, TimeProvider? time = null)
    {
        AzureBlobStore blobs = new(azurite.ConnectionString, azurite.NextContainer());
        return (new ObjectAddresses(blobs, new StorageOptions { DirectDownloadMinutes = minutes }, time ?? TimeProvider.System), new ContentStore(blobs));
    }

    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() - TimeSpan.FromMinutes(6);
    }
}
