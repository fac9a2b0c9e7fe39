using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Federated.EndToEnd.Tests.Scene;

namespace Federated.EndToEnd.Tests;

/// <summary>The OpenAPI document describes what is there, and its page needs nobody else.</summary>
public sealed partial class ApiDocumentTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_EveryOperation_SaysWhatItIsForAndWhatItAnswers()
    {
        JsonNode document = await DocumentAsync();
        JsonObject paths = document["paths"]!.AsObject();
        Assert.True(paths.Count >= 28, $"{paths.Count} paths");
        Assert.All(paths, path =>
        {
            Assert.StartsWith("/api/v1/", path.Key, StringComparison.Ordinal);
            Assert.All(path.Value!.AsObject(), operation =>
            {
                Assert.False(string.IsNullOrEmpty((string?)operation.Value!["summary"]), $"{operation.Key} {path.Key} has no summary");
                JsonObject responses = operation.Value["responses"]!.AsObject();
                JsonNode good = responses.Single(response => response.Key.StartsWith('2')).Value!;
                Assert.True(good["content"] is JsonObject { Count: > 0 }, $"{operation.Key} {path.Key} answers with nothing");
                Assert.Contains("401", responses.Select(response => response.Key));
            });
        });
        string text = document.ToJsonString();
        foreach (Match reference in Reference().Matches(text))
        {
            string name = reference.Groups[1].Value;
            Assert.True(document["components"]!["schemas"]![name] is not null, $"there is no schema {name}");
        }
    }

    [Fact]
    public async Task Reference_ComesFromThisServerAlone()
    {
        using HttpClient http = new() { BaseAddress = server.Api.Address };
        using HttpResponseMessage response = await http.GetAsync(new Uri("api/reference/", UriKind.Relative), Ct);
        string page = await response.Content.ReadAsStringAsync(Ct);

        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);
        Assert.Contains("script-src 'self' 'nonce-", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        foreach (Match script in Script().Matches(page))
        {
            using HttpResponseMessage found = await http.GetAsync(new Uri("api/reference/" + script.Groups[1].Value, UriKind.Relative), Ct);
            Assert.True(found.IsSuccessStatusCode, script.Value);
        }
    }

    private async Task<JsonNode> DocumentAsync()
    {
        using HttpClient http = new() { BaseAddress = server.Api.Address };
        return JsonNode.Parse(await http.GetStringAsync(new Uri("api/openapi.json", UriKind.Relative), Ct))!;
    }

    [GeneratedRegex("\"#/components/schemas/([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("src=\"([^\"]+)\"")]
    private static partial Regex Script();
}
