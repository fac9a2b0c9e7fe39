using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Federated.Server.Api;
using Federated.Server.Jobs;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>How much of a body the HTTP port takes, whether its length is stated or not.</summary>
public sealed class BodyLimitTests
{
    private const int AboveTheLimit = (1 << 20) + 1;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("POST", "api/v1/jobs", true)]
    [InlineData("POST", "api/v1/jobs", false)]
    [InlineData("POST", "api/v1/tokens", true)]
    [InlineData("POST", "api/v1/tokens", false)]
    [InlineData("POST", "api/v1/access/tokens", true)]
    [InlineData("PUT", "api/v1/devices/nobody/labels", true)]
    public async Task Body_AboveTheLimit_IsRefusedWhetherItsLengthIsStatedOrNot(string verb, string path, bool chunked)
    {
        await using GuardedServer server = await GuardedServer.StartAsync();

        using HttpResponseMessage response = await SendAsync(server, verb, path, "application/json", AboveTheLimit, chunked);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        ApiError? error = JsonSerializer.Deserialize<ApiError>(await response.Content.ReadAsStringAsync(Ct), RoundRecords.Json);
        Assert.Equal((int)ErrorCode.LimitExceeded, error?.Code);
        await server.IsReadyAsync();
    }

    [Fact]
    public async Task Body_OfAnObjectOrAPackage_MayBeLarger()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();

        using HttpResponseMessage stored = await SendAsync(server, "PUT", "api/v1/objects", "application/octet-stream", 40 << 20, chunked: false);
        using HttpResponseMessage read = await SendAsync(server, "POST", "api/v1/packages", "application/octet-stream", 15 << 20, chunked: false);

        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);

        // Spaces are no manifest, but they were read.
        Assert.Equal(HttpStatusCode.BadRequest, read.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(GuardedServer server, string verb, string path, string type, int lengthBytes, bool chunked)
    {
        byte[] spaces = new byte[lengthBytes];
        spaces.AsSpan().Fill((byte)' ');
        using HttpRequestMessage request = new(new HttpMethod(verb), new Uri(path, UriKind.Relative)) { Content = new ByteArrayContent(spaces) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GuardedServer.OperatorToken);

        // Whoever is asked first does not send what would be refused, and the refusal is read before the connection ends.
        request.Headers.ExpectContinue = true;
        return await server.Http.SendAsync(request, Ct);
    }
}
