using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Shared.Randomness;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>
/// Requests that no honest program sends, to every route that the OpenAPI document names: whatever they hold, the server has an answer below 500, and who may not change anything changes nothing.
/// </summary>
public sealed class ApiFuzzTests
{
    private const int RequestsAnOperation = 6;

    private static readonly string[] _ids =
    [
        "", ".", "..", "%2e%2e%2fetc%2fpasswd", "%00", "a%0d%0aSet-Cookie:x=1", "nobody", "%ff%fe", "-1", "0", "1", "9223372036854775807", "9223372036854775808", "1e3", "NaN",
        "%F0%9F%A4%96", "null", "*", "a b", "'; drop table jobs --", "{id}", new string('a', 129), new string('b', 4000), "%25252e",
    ];

    private static readonly string[] _queries =
    [
        "", "?after=-1", "?after=9223372036854775808", "?after=x&waitSeconds=NaN", "?waitSeconds=-Infinity", "?format=xml", "?format=csv&round=-5", "?format=jsonl&round=0", "?version=-1", "?version=9e99",
        "?after=1&after=2", "?%00=%00", "?job=..", "?format=" + new string('c', 5000),
    ];

    private static readonly string[] _bodies =
    [
        "", "null", "[]", "{}", "\"text\"", "{", "[1,2", "{\"name\":", "{\"name\": 1}", "{\"role\": \"emperor\"}", "{\"role\": 7, \"name\": \"x\"}", "{\"name\": null, \"role\": null}",
        "{\"name\":\"x\",\"role\":\"viewer\",\"lifetimeSeconds\":1e999}", "{\"lifetimeSeconds\":\"NaN\"}", "{\"lifetimeSeconds\":-1}", "{\"lifetimeSeconds\": 3600, \"labels\": {\"\": null}}",
        "{\"rounds\": 1e400}", "{\"name\":\"x\",\"name\":\"y\"}", new string('[', 3000), "{\"a\":" + new string('9', 3000) + "}", "\u0000\u0001", "{\"labels\": [[[]]]}", "{\"x\": \"\\ud800\"}",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData(GuardedServer.ViewerToken)]
    [InlineData(GuardedServer.OperatorToken)]
    public async Task Requests_ThatNobodySends_AreAnsweredAndChangeNothingWithoutTheRole(string? token)
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        using ServerApiClient boss = new(server.Server.ApiAddress, token: GuardedServer.OperatorToken);
        JobStatus job = await boss.SubmitJobAsync(VectorJob.Spec("fuzzed", 2, 2, 5, 64), Ct);
        await boss.PauseJobAsync(job.JobId, Ct);
        string before = await StateAsync(boss);
        SeededGenerator generator = SeededGenerator.For(11, "api-fuzz", 0, token ?? "nobody");
        JsonObject paths = JsonNode.Parse(await (await server.SendAsync(HttpMethod.Get, "api/openapi.json", GuardedServer.OperatorToken)).Content.ReadAsStringAsync(Ct))!["paths"]!.AsObject();
        Dictionary<HttpStatusCode, int> answers = [];
        foreach ((string path, JsonNode? operations) in paths)
        {
            foreach (string verb in operations!.AsObject().Select(operation => operation.Key).Concat(["patch", "delete", "options", "brew"]))
            {
                for (int i = 0; i < RequestsAnOperation; i++)
                {
                    using HttpRequestMessage request = Request(generator, verb, path, job.JobId, token);
                    using HttpResponseMessage response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
                    Assert.True((int)response.StatusCode < 500, $"{verb} {request.RequestUri} was answered {(int)response.StatusCode}");
                    answers[response.StatusCode] = answers.GetValueOrDefault(response.StatusCode) + 1;
                    if (!response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType == "application/json")
                    {
                        ApiError? error = JsonSerializer.Deserialize<ApiError>(await response.Content.ReadAsStringAsync(Ct), RoundRecords.Json);
                        Assert.True(error is { Code: >= 1000, Detail.Length: > 0 }, $"{verb} {request.RequestUri} has no code");
                    }

                    Assert.True(token is not null || !response.IsSuccessStatusCode, $"{verb} {request.RequestUri} was answered without a token");
                }
            }
        }

        // A test that is answered the same whatever it asks has asked nothing.
        Assert.True(answers.Count >= (token is null ? 3 : 4), string.Join(' ', answers));
        if (token != GuardedServer.OperatorToken)
        {
            Assert.Equal(before, await StateAsync(boss));
        }

        await server.IsReadyAsync();
    }

    [Fact]
    public async Task Spec_WithAnyOneValueReplaced_IsTakenOrRefusedByName()
    {
        await using GuardedServer server = await GuardedServer.StartAsync();
        string[] values = ["null", "-1", "0", "1e308", "\"\"", "\"x\"", "[]", "{}", "true", "9223372036854775807", "1.5"];
        JsonObject spec = JsonNode.Parse(VectorJob.Spec("mutated", 2, 2, 5, 64))!.AsObject();
        foreach (string key in spec.Select(pair => pair.Key).ToArray())
        {
            foreach (string value in values)
            {
                JsonObject mutated = spec.DeepClone().AsObject();
                mutated[key] = JsonNode.Parse(value);
                using HttpResponseMessage response = await server.SendAsync(
                    HttpMethod.Post, "api/v1/jobs", GuardedServer.OperatorToken, new StringContent(mutated.ToJsonString(), Encoding.UTF8, "application/json"));
                Assert.True((int)response.StatusCode is 201 or 400 or 422, $"{key}: {value} was answered {(int)response.StatusCode}");
                if (response.StatusCode == HttpStatusCode.UnprocessableEntity)
                {
                    Assert.Contains(key, await response.Content.ReadAsStringAsync(Ct), StringComparison.OrdinalIgnoreCase);
                }
            }
        }
    }

    private static HttpRequestMessage Request(SeededGenerator generator, string verb, string path, string jobId, string? token)
    {
        string concrete = path;
        while (concrete.IndexOf('{', StringComparison.Ordinal) is >= 0 and int at)
        {
            // Half of the requests name what is there, so that the rest of the request gets read.
            string id = generator.NextInt(2) == 0 ? jobId : Pick(generator, _ids).Replace("{", "%7b", StringComparison.Ordinal);
            concrete = concrete[..at] + id + concrete[(concrete.IndexOf('}', at) + 1)..];
        }

        HttpRequestMessage request = new(new HttpMethod(verb.ToUpperInvariant()), new Uri(concrete.TrimStart('/') + Pick(generator, _queries), UriKind.Relative));
        if (verb is not ("get" or "options") || generator.NextInt(8) == 0)
        {
            request.Content = new StringContent(Pick(generator, _bodies), Encoding.UTF8, Pick(generator, ["application/json", "application/json", "application/json", "text/plain", "application/octet-stream"]));
        }

        if (token is not null)
        {
            request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
        }

        if (generator.NextInt(6) == 0)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", Pick(generator, _ids));
        }

        return request;
    }

    private static string Pick(SeededGenerator generator, string[] from) => from[generator.NextInt(from.Length)];

    private static async Task<string> StateAsync(ServerApiClient boss) => JsonSerializer.Serialize(new
    {
        jobs = await boss.JobsAsync(Ct),
        devices = await boss.DevicesAsync(Ct),
        enrollments = await boss.EnrollmentsAsync(Ct),
        tokens = await boss.TokensAsync(Ct),
        access = await boss.AccessTokensAsync(Ct),
        models = await boss.ModelsAsync(Ct),
    });
}
