using Federated.Modeling;
using Federated.Server.Access;
using Federated.Server.Events;
using Federated.Server.Identity;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Api;

/// <summary>The server refused a request or could not be reached. The message is for people.</summary>
public sealed class ServerApiException(string message, ApiError? error = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the server said; null when it could not be reached.</summary>
    public ApiError? Error { get; } = error;

    /// <summary>Whether the same request may succeed later: the server was out of reach or did not answer in time, or said so.</summary>
    public bool IsTransient => Error is null || (Enum.IsDefined((ErrorCode)Error.Code) && ErrorCatalogue.For((ErrorCode)Error.Code).Retriable);

    /// <summary>Whether the server took the request for a good one and failed at it.</summary>
    public bool IsServersFailure => Error?.Code == (int)ErrorCode.Internal;
}

/// <summary>Speaks the HTTP API, for the command line and the simulator. Thread-safe.</summary>
public sealed class ServerApiClient : IDisposable
{
    private const double BytesInASecond = 64 << 10;

    private static readonly TimeSpan _defaultPatience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;

    /// <summary>A client of the server at <paramref name="address"/>.</summary>
    /// <param name="address">The server's address.</param>
    /// <param name="patience">How long an answer may take, besides a second for each 64 KiB that are sent; 60 s when left out.</param>
    /// <param name="token">The caller's access token; null where none is demanded.</param>
    /// <param name="time">The clock of that patience; the system's when left out.</param>
    public ServerApiClient(Uri address, TimeSpan? patience = null, string? token = null, TimeProvider? time = null)
    {
        Address = address;
        _patience = patience ?? _defaultPatience;
        _time = time ?? TimeProvider.System;

        // Each request has a limit of its own.
        _http = new HttpClient { BaseAddress = new Uri(address, "api/v1/"), Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <summary>The server's address.</summary>
    public Uri Address { get; }

    /// <summary>What the server is, and where devices connect.</summary>
    public Task<ServerDescription> DescribeAsync(CancellationToken ct) => SendAsync<ServerDescription>(HttpMethod.Get, "server", null, ct);

    /// <summary>Submits a spec; settings that are wrong come back as <see cref="ApiError.Problems"/>.</summary>
    public Task<JobStatus> SubmitJobAsync(string specJson, CancellationToken ct) =>
        SendAsync<JobStatus>(HttpMethod.Post, "jobs", new StringContent(specJson, System.Text.Encoding.UTF8, "application/json"), ct);

    /// <summary>All jobs.</summary>
    public Task<List<JobStatus>> JobsAsync(CancellationToken ct) => SendAsync<List<JobStatus>>(HttpMethod.Get, "jobs", null, ct);

    /// <summary>One job.</summary>
    public Task<JobStatus> GetJobAsync(string id, CancellationToken ct) => SendAsync<JobStatus>(HttpMethod.Get, $"jobs/{Escape(id)}", null, ct);

    /// <summary>The rounds after <paramref name="after"/>; waits for the first one up to <paramref name="wait"/> (25 s at most).</summary>
    public Task<List<RoundRecord>> RoundsAsync(string id, long after, TimeSpan wait, CancellationToken ct) =>
        SendAsync<List<RoundRecord>>(HttpMethod.Get, $"jobs/{Escape(id)}/rounds?after={after}&waitSeconds={wait.TotalSeconds:R}", null, ct);

    /// <summary>The record of one round.</summary>
    public Task<RoundRecord> RoundAsync(string id, long round, CancellationToken ct) =>
        SendAsync<RoundRecord>(HttpMethod.Get, $"jobs/{Escape(id)}/rounds/{round}", null, ct);

    /// <summary>What every device did in a round; of an open round as far as it has come.</summary>
    public Task<RoundTimeline> TimelineAsync(string id, long round, CancellationToken ct) =>
        SendAsync<RoundTimeline>(HttpMethod.Get, $"jobs/{Escape(id)}/rounds/{round}/clients", null, ct);

    /// <summary>The spec of a job as it was submitted, JSON.</summary>
    public async Task<string> SpecAsync(string id, CancellationToken ct) =>
        (await SendAsync<System.Text.Json.JsonElement>(HttpMethod.Get, $"jobs/{Escape(id)}/spec", null, ct)).GetRawText();

    /// <summary>No new round begins. Refused with <see cref="ErrorCode.Conflict"/> when the job has ended.</summary>
    public Task<JobStatus> PauseJobAsync(string id, CancellationToken ct) => SendAsync<JobStatus>(HttpMethod.Post, $"jobs/{Escape(id)}/pause", null, ct);

    /// <summary>Goes on after a pause. Refused with <see cref="ErrorCode.Conflict"/> when the job has ended.</summary>
    public Task<JobStatus> ResumeJobAsync(string id, CancellationToken ct) => SendAsync<JobStatus>(HttpMethod.Post, $"jobs/{Escape(id)}/resume", null, ct);

    /// <summary>Ends the job. Refused with <see cref="ErrorCode.Conflict"/> when it has ended without being cancelled.</summary>
    public Task<JobStatus> CancelJobAsync(string id, CancellationToken ct) => SendAsync<JobStatus>(HttpMethod.Post, $"jobs/{Escape(id)}/cancel", null, ct);

    /// <summary>The models of all jobs.</summary>
    public Task<List<ModelDescription>> ModelsAsync(CancellationToken ct) => SendAsync<List<ModelDescription>>(HttpMethod.Get, "models", null, ct);

    /// <summary>What is known of a device.</summary>
    public Task<DeviceDetail> DeviceAsync(string id, CancellationToken ct) => SendAsync<DeviceDetail>(HttpMethod.Get, $"devices/{Escape(id)}", null, ct);

    /// <summary>Makes an enrollment token.</summary>
    public Task<NewToken> CreateTokenAsync(TokenRequest request, CancellationToken ct) =>
        SendAsync<NewToken>(HttpMethod.Post, "tokens", JsonContent.Create(request, options: RoundRecords.Json), ct);

    /// <summary>The enrollment tokens.</summary>
    public Task<List<TokenRecord>> TokensAsync(CancellationToken ct) => SendAsync<List<TokenRecord>>(HttpMethod.Get, "tokens", null, ct);

    /// <summary>The devices that are enrolled or have checked in since the server started.</summary>
    public Task<List<DeviceSummary>> DevicesAsync(CancellationToken ct) => SendAsync<List<DeviceSummary>>(HttpMethod.Get, "devices", null, ct);

    /// <summary>Refused calls that no enrolled device can be named for.</summary>
    public Task<StrangerCalls> RefusedCallsAsync(CancellationToken ct) => SendAsync<StrangerCalls>(HttpMethod.Get, "refused-calls", null, ct);

    /// <summary>The enrolled devices.</summary>
    public Task<List<DeviceEnrollment>> EnrollmentsAsync(CancellationToken ct) => SendAsync<List<DeviceEnrollment>>(HttpMethod.Get, "enrollments", null, ct);

    /// <summary>The versions of a job's model.</summary>
    public Task<List<ModelVersion>> ModelVersionsAsync(string id, CancellationToken ct) => SendAsync<List<ModelVersion>>(HttpMethod.Get, $"models/{Escape(id)}", null, ct);

    /// <summary>Copies a table of a job's rounds, or of what devices did in them, to <paramref name="output"/>.</summary>
    /// <param name="id">The job.</param>
    /// <param name="what"><c>rounds</c> or <c>clients</c>.</param>
    /// <param name="format"><c>csv</c> or <c>jsonl</c>.</param>
    /// <param name="round">One round's clients; null for every round's.</param>
    /// <param name="output">Where it goes.</param>
    /// <param name="ct">Cancels.</param>
    public async Task ExportAsync(string id, string what, string format, long? round, Stream output, CancellationToken ct)
    {
        using HttpResponseMessage response = await BeginAsync($"jobs/{Escape(id)}/export/{what}?format={format}{(round is { } one ? $"&round={one}" : "")}", ct);
        try
        {
            await response.Content.CopyToAsync(output, ct);
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e);
        }
    }

    /// <summary>Refuses every later call of a device.</summary>
    public Task<DeviceEnrollment> RevokeDeviceAsync(string id, CancellationToken ct) =>
        SendAsync<DeviceEnrollment>(HttpMethod.Post, $"devices/{Escape(id)}/revoke", null, ct);

    /// <summary>Replaces the labels of a device.</summary>
    public Task<DeviceEnrollment> LabelDeviceAsync(string id, IReadOnlyDictionary<string, string> labels, CancellationToken ct) =>
        SendAsync<DeviceEnrollment>(HttpMethod.Put, $"devices/{Escape(id)}/labels", JsonContent.Create(labels, options: RoundRecords.Json), ct);

    /// <summary>Who this client is to the server.</summary>
    public Task<Caller> CallerAsync(CancellationToken ct) => SendAsync<Caller>(HttpMethod.Get, "access/me", null, ct);

    /// <summary>Makes an access token.</summary>
    public Task<NewAccessToken> CreateAccessTokenAsync(AccessTokenRequest request, CancellationToken ct) =>
        SendAsync<NewAccessToken>(HttpMethod.Post, "access/tokens", JsonContent.Create(request, options: RoundRecords.Json), ct);

    /// <summary>The access tokens.</summary>
    public Task<List<AccessToken>> AccessTokensAsync(CancellationToken ct) => SendAsync<List<AccessToken>>(HttpMethod.Get, "access/tokens", null, ct);

    /// <summary>Ends an access token.</summary>
    public Task<AccessToken> RevokeAccessTokenAsync(string hash, CancellationToken ct) =>
        SendAsync<AccessToken>(HttpMethod.Delete, $"access/tokens/{Escape(hash)}", null, ct);

    /// <summary>
    /// Opens the stream of events. It ends when the connection does, or when nothing, not even a heartbeat, came for three of their intervals: open it again
    /// after the last event.
    /// </summary>
    /// <param name="job">Only what concerns this job; null for everything.</param>
    /// <param name="after">Number of the last event that the caller has; null for what happens from now on.</param>
    /// <param name="ct">Ends the stream.</param>
    /// <returns>The events, once the server has taken note of the reader: nothing that happens from then on is lost.</returns>
    public async Task<IAsyncEnumerable<ServerEvent>> EventsAsync(string? job, long? after, CancellationToken ct)
    {
        List<string> query = [];
        if (job is not null)
        {
            query.Add($"job={Escape(job)}");
        }

        if (after is { } last)
        {
            query.Add($"after={last}");
        }

        return EventReading.ReadAsync(await BeginAsync($"events?{string.Join('&', query)}", ct), ct);
    }

    /// <summary>The committed adapter's document.</summary>
    public Task<byte[]> AdapterAsync(string id, CancellationToken ct) => FetchAsync($"jobs/{Escape(id)}/adapter", ct);

    /// <summary>An object of the store, whole; its hash is verified.</summary>
    public async Task<byte[]> ObjectAsync(string sha256, CancellationToken ct)
    {
        byte[] content = await FetchAsync($"objects/{Escape(sha256)}", ct);
        return ContentHash.Of(content).Hex == sha256
            ? content
            : throw new ServerApiException($"The server at {Address} gave another object than {sha256}.");
    }

    /// <summary>Brings a package into the server's store: its files first, its manifest last.</summary>
    public async Task<PackageDescription> SubmitPackageAsync(ModelPackage package, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(package);
        byte[] adapter = AdapterDocument.ToBytes(0, package.InitialAdapter);
        foreach (byte[] file in new[] { package.FrozenWeights, package.GradientGraph, package.EvaluationGraph, package.ModelGraph, adapter })
        {
            if (file.Length > 0)
            {
                _ = await SendAsync<ObjectDescription>(HttpMethod.Put, "objects", new ByteArrayContent(file), ct);
            }
        }

        return await SendAsync<PackageDescription>(HttpMethod.Post, "packages", new ByteArrayContent(package.Manifest.ToBytes()), ct);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? content, CancellationToken ct)
    {
        using HttpRequestMessage request = new(method, new Uri(path, UriKind.Relative)) { Content = content };
        using HttpResponseMessage response = await AnswerAsync(request, HttpCompletionOption.ResponseContentRead, ct);
        return await response.Content.ReadFromJsonAsync<T>(RoundRecords.Json, ct)
            ?? throw new ServerApiException($"The server at {Address} answered with nothing.");
    }

    private async Task<byte[]> FetchAsync(string path, CancellationToken ct)
    {
        using HttpResponseMessage response = await BeginAsync(path, ct);
        try
        {
            return await response.Content.ReadAsByteArrayAsync(ct);
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e);
        }
    }

    /// <summary>The beginning of an answer of any length: the limit of time is for that alone.</summary>
    private async Task<HttpResponseMessage> BeginAsync(string path, CancellationToken ct)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(path, UriKind.Relative));
        return await AnswerAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
    }

    /// <summary>The answer to a request; what is not of success is thrown.</summary>
    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, HttpCompletionOption until, CancellationToken ct)
    {
        // What is sent goes over a line of any speed and then to the server's disk.
        TimeSpan limit = _patience + TimeSpan.FromSeconds((request.Content?.Headers.ContentLength ?? 0) / BytesInASecond);
        using CancellationTokenSource over = new(limit, _time);
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(ct, over.Token);
        try
        {
            HttpResponseMessage response = await _http.SendAsync(request, until, late.Token);
            try
            {
                await DemandSuccessAsync(response, late.Token);
                return response;
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            // Not a person's Ctrl-C but the client's own limit: the two must not be taken for each other.
            throw new ServerApiException($"The server at {Address} did not answer within {limit.TotalSeconds:0.#} s. Look into its log, or try again.", null, e);
        }
    }

    private ServerApiException Unreachable(HttpRequestException e) =>
        new($"The server at {Address} cannot be reached: {e.GetBaseException().Message.TrimEnd('.')}. Start it with 'serve', or name another one with --server.", null, e);

    private async Task DemandSuccessAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        ApiError? error = null;
        try
        {
            error = await response.Content.ReadFromJsonAsync<ApiError>(RoundRecords.Json, ct);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or NotSupportedException)
        {
            // Whatever answered is not this API: the status is all there is to tell.
        }

        throw new ServerApiException(error is null ? $"The server at {Address} answered {(int)response.StatusCode}." : error.Detail, error);
    }

    private static string Escape(string id) => Uri.EscapeDataString(id);
}
