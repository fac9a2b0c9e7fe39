using Federated.Server.Access;
using Federated.Server.Grains;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;
using Federated.Training;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;

namespace Federated.Server.Api;

/// <summary>What the server says of itself.</summary>
/// <param name="Version">Version of the software.</param>
/// <param name="ProtocolVersion">Device protocol it speaks.</param>
/// <param name="GrpcAddress">Where devices connect.</param>
/// <param name="SigningKey">Public key that group headers are signed with, X.509 SubjectPublicKeyInfo.</param>
public sealed record ServerDescription(string Version, uint ProtocolVersion, Uri GrpcAddress, byte[] SigningKey);

/// <summary>A body that says what was wrong.</summary>
/// <param name="Code">Number of the catalogue code.</param>
/// <param name="Error">Name of the code.</param>
/// <param name="Detail">What was wrong.</param>
/// <param name="Advice">The way out.</param>
/// <param name="Problems">Settings that are wrong, by path.</param>
public sealed record ApiError(int Code, string Error, string Detail, string Advice, IReadOnlyList<SettingProblem>? Problems = null);

/// <summary>Maps <c>/api/v1</c>: jobs, rounds, models, and what the server is.</summary>
internal static class FederatedApi
{
    private const int MaxBodyBytes = 1 << 20;
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan _patienceWithAJob = TimeSpan.FromSeconds(20);

    /// <summary>Adds the routes.</summary>
    public static void MapFederatedApi(this WebApplication app)
    {
        RouteGroupBuilder api = app.MapGroup("/api/v1");

        // Also of a body whose length is not stated. A route that takes more says so.
        api.WithMetadata(new RequestSizeLimitAttribute(MaxBodyBytes));
        ((IEndpointConventionBuilder)api).Add(RequireRole);
        api.MapGet("/server", async (ServerAddresses addresses, ServerKey key, CancellationToken ct) => Json(await DescribeAsync(addresses, key, ct)))
            .Says<ServerDescription>("What this server is", "server");
        api.MapEvents().Says<string>("What happens, as server-sent events", "server", mediaType: "text/event-stream");
        MapJobs(api);
        api.MapExports();
        api.MapDeviceRoutes();
        api.MapAccessRoutes();
        api.MapModelRoutes();
    }

    /// <summary>A job's status.</summary>
    /// <exception cref="ProtocolViolationException">The text is no identifier, or there is no such job.</exception>
    public static async Task<JobStatus> StatusAsync(IGrainFactory grains, string id) => Found(await DemandJob(grains, id).Status(), id);

    /// <summary>A job's grain, whether the job exists or not.</summary>
    /// <exception cref="ProtocolViolationException">The text is no identifier.</exception>
    public static IJobGrain DemandJob(IGrainFactory grains, string id) => grains.Of<IJobGrain>(Identifier(id));

    /// <summary>Pauses a job; one that is paused stays so.</summary>
    /// <exception cref="ProtocolViolationException">The text is no identifier, there is no such job, or it has ended.</exception>
    public static async Task<JobStatus> PauseAsync(IGrainFactory grains, string id) =>
        Steered(Found(await DemandJob(grains, id).Pause(), id), JobState.Paused, "paused");

    /// <summary>Lets a job go on after a pause; one that runs goes on running.</summary>
    /// <exception cref="ProtocolViolationException">The text is no identifier, there is no such job, or it has ended.</exception>
    public static async Task<JobStatus> ResumeAsync(IGrainFactory grains, string id) =>
        Steered(Found(await DemandJob(grains, id).Resume(), id), JobState.Running, "resumed");

    /// <summary>Cancels a job; one that is cancelled stays so.</summary>
    /// <exception cref="ProtocolViolationException">The text is no identifier, there is no such job, or it has ended otherwise.</exception>
    public static async Task<JobStatus> CancelAsync(IGrainFactory grains, string id) =>
        Steered(Found(await DemandJob(grains, id).Cancel(), id), JobState.Cancelled, "cancelled");

    private static JobStatus Steered(JobStatus job, JobState wanted, string verb) => job.State == wanted
        ? job
        : throw new ProtocolViolationException(
            ErrorCode.Conflict, $"Job {job.JobId} is {AllowedText.NameOf(job.State, StrictJson.Options)} and cannot be {verb}: only a job that runs or is paused can.");

    private static void MapJobs(RouteGroupBuilder api)
    {
        const string jobs = "jobs";
        const string rounds = "rounds";
        api.MapGet("/jobs", async (IGrainFactory grains) => Json(await AllAsync(grains))).Says<List<JobStatus>>("All jobs", jobs);
        api.MapPost("/jobs", SubmitAsync).Accepts<JobSpec>("application/json").Says<JobStatus>("Submit a job", jobs, StatusCodes.Status201Created);
        api.MapGet("/jobs/{id}", async (string id, IGrainFactory grains) => Json(await StatusAsync(grains, id))).Says<JobStatus>("A job", jobs);
        api.MapGet("/jobs/{id}/spec", async (string id, IGrainFactory grains) =>
            Results.Text(Found(await DemandJob(grains, id).Spec(), id), "application/json")).Says<JobSpec>("The spec of a job as it was submitted", jobs);
        api.MapPost("/jobs/{id}/pause", async (string id, IGrainFactory grains) => Json(await PauseAsync(grains, id)))
            .Says<JobStatus>("Begin no new round", jobs);
        api.MapPost("/jobs/{id}/resume", async (string id, IGrainFactory grains) => Json(await ResumeAsync(grains, id)))
            .Says<JobStatus>("Go on after a pause", jobs);
        api.MapPost("/jobs/{id}/cancel", async (string id, IGrainFactory grains) => Json(await CancelAsync(grains, id)))
            .Says<JobStatus>("End a job; its model stays", jobs);
        api.MapGet("/jobs/{id}/rounds", RoundsAsync).Says<List<RoundRecord>>("The rounds after one, waiting for the first up to 25 s", rounds);
        api.MapGet("/jobs/{id}/rounds/{round:long}", async (string id, long round, IGrainFactory grains) => Json(await RoundAsync(id, round, grains)))
            .Says<RoundRecord>("A round", rounds);
        api.MapGet("/jobs/{id}/rounds/{round:long}/clients", TimelineAsync).Says<RoundTimeline>("What every device did in a round", rounds);
    }

    private static async Task<IResult> SubmitAsync(HttpRequest request, IGrainFactory grains, JobModels models)
    {
        if (request.ContentLength is > MaxBodyBytes)
        {
            throw new ProtocolViolationException(ErrorCode.LimitExceeded, $"The spec has {request.ContentLength} bytes, the limit is {MaxBodyBytes}.");
        }

        using StreamReader reader = new(request.Body);
        string text = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
        JobStatus status = await SubmitSpecAsync(text, grains, models, request.HttpContext.RequestAborted);
        return Results.Json(status, RoundRecords.Json, statusCode: StatusCodes.Status201Created);
    }

    /// <summary>Checks the text of a spec and submits it.</summary>
    /// <exception cref="InvalidSettingsException">The spec is wrong.</exception>
    public static async Task<JobStatus> SubmitSpecAsync(string text, IGrainFactory grains, JobModels models, CancellationToken ct)
    {
        JobSpec spec = JobSpec.Parse(text);
        IExampleSource? heldOut = HeldOutExamples.OpenForSubmission(spec.Evaluation);
        PackageManifest manifest = await models.CheckAsync(spec, ct);
        HeldOutExamples.DemandFit(heldOut, manifest);
        string id = await grains.GetGrain<IJobDirectoryGrain>(0).Reserve(spec.Name);

        // As JSON without what JSON does not have, comments for one: whoever reads it back may not take them.
        return await DemandJob(grains, id).Submit(StrictJson.Parse(text).ToJsonString());
    }

    private static async Task<IResult> RoundsAsync(string id, IGrainFactory grains, long after = 0, double waitSeconds = 0)
    {
        IJobGrain job = DemandJob(grains, id);
        _ = Found(await job.Status(), id);
        double bounded = double.IsNaN(waitSeconds) ? 0 : Math.Clamp(waitSeconds, 0, MaxWait.TotalSeconds);
        IReadOnlyList<RoundRecord> rounds = await job.Rounds(after, TimeSpan.FromSeconds(bounded));
        return Json(rounds);
    }

    private static async Task<RoundRecord> RoundAsync(string id, long round, IGrainFactory grains)
    {
        IJobGrain job = DemandJob(grains, id);
        JobStatus status = Found(await job.Status(), id);
        IReadOnlyList<RoundRecord> records = round < 1 ? [] : await job.Rounds(round - 1, TimeSpan.Zero);
        return records.FirstOrDefault(record => record.Round == round)
            ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"Job {id} has no record of round {round}; its last finished round is {status.Round}.");
    }

    private static async Task<IResult> TimelineAsync(string id, long round, IGrainFactory grains, RoundTimelines timelines, CancellationToken ct)
    {
        _ = Found(await DemandJob(grains, id).Status(), id);
        RoundTimeline? timeline = round < 1 ? null : await timelines.FindAsync(id, round, ct);
        return Json(timeline ?? throw new ProtocolViolationException(
            ErrorCode.NotFound,
            $"Job {id} has no timeline of round {round}. A round has one from its first assignment until {RoundTimelines.KeptRounds} later rounds are over."));
    }

    /// <summary>Every job, in the order of submission.</summary>
    public static async Task<List<JobStatus>> AllAsync(IGrainFactory grains)
    {
        List<JobStatus> result = [];
        foreach (string id in await grains.GetGrain<IJobDirectoryGrain>(0).List())
        {
            if (await StatusOrReasonAsync(id, grains) is { } status)
            {
                result.Add(status);
            }
        }

        return result;
    }

    // One job that cannot be read must not hide the others.
    private static async Task<JobStatus?> StatusOrReasonAsync(string id, IGrainFactory grains)
    {
        try
        {
            return await DemandJob(grains, id).Status().WaitAsync(_patienceWithAJob);
        }
        catch (Exception e)
        {
            string reason = e is TimeoutException ? "it does not answer; the server may still be reading it" : $"it cannot be read: {e.Message}";
            return new JobStatus { JobId = id, Name = id, Population = "", State = JobState.Failed, Reason = reason };
        }
    }

    private static async Task<ServerDescription> DescribeAsync(ServerAddresses addresses, ServerKey key, CancellationToken ct)
    {
        using DeviceVerifyingKey signing = (await key.GetAsync(ct)).ToVerifyingKey();
        return new ServerDescription(
            typeof(FederatedApi).Assembly.GetName().Version!.ToString(3), ProtocolLimits.Version, addresses.Grpc, signing.ToSubjectPublicKey());
    }

    /// <summary>A text of the path that is an identifier.</summary>
    public static string Identifier(string id) => ProtocolLimits.IsIdentifier(id)
        ? id
        : throw new ProtocolViolationException(ErrorCode.InvalidIdentifier, "The identifier in the path is not one.");

    /// <summary>What was found.</summary>
    /// <exception cref="ProtocolViolationException">Nothing was.</exception>
    public static T Found<T>(T? value, string id)
        where T : class =>
        value ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"There is nothing called '{id}'.");

    /// <summary>Answers in the form of records and statuses.</summary>
    public static IResult Json<T>(T value) => Results.Json(value, RoundRecords.Json);

    // Who only reads must be a viewer, whatever else there is wants an operator; a route may ask for more.
    private static void RequireRole(EndpointBuilder endpoint)
    {
        IReadOnlyList<string> methods = endpoint.Metadata.OfType<HttpMethodMetadata>().LastOrDefault()?.HttpMethods ?? [];
        bool reads = methods.Count > 0 && methods.All(HttpMethods.IsGet);
        endpoint.Metadata.Add(new AuthorizeAttribute(reads ? AccessPolicies.Viewer : AccessPolicies.Operator));
    }

    /// <summary>Answers with what was wrong.</summary>
    public static IResult Error(ErrorCode code, string detail, IReadOnlyList<SettingProblem>? problems = null, int? statusCode = null)
    {
        ErrorCatalogue.Entry entry = ErrorCatalogue.For(code);
        return Results.Json(new ApiError((int)code, code.ToString(), detail, entry.Advice, problems), RoundRecords.Json, statusCode: statusCode ?? entry.HttpStatus);
    }
}
