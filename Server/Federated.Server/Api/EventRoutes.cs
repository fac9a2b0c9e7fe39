using System.Buffers;
using System.Globalization;
using System.Text;
using Federated.Server.Access;
using Federated.Server.Events;
using Federated.Shared.Protocol;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Federated.Server.Api;

/// <summary>Maps <c>/events</c>: the feed as server-sent events (the EventSource of the HTML standard).</summary>
internal static class EventRoutes
{
    /// <summary>A stream is never silent for longer, so that a dead connection shows.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private const string LastEventId = "Last-Event-ID";

    // What a browser waits before it connects anew, and a sign that the stream is open.
    private static readonly byte[] _opening = "retry: 2000\n: open\n\n"u8.ToArray();
    private static readonly byte[] _beat = ": beat\n\n"u8.ToArray();

    /// <summary>Adds the route.</summary>
    public static RouteHandlerBuilder MapEvents(this RouteGroupBuilder api) => api.MapGet("/events", StreamAsync);

    /// <summary>Streams until the caller goes or the server stops.</summary>
    /// <param name="context">The request; its header Last-Event-ID, or the query's <c>after</c>, resumes behind an event.</param>
    /// <param name="feed">The feed.</param>
    /// <param name="tokens">A token that is revoked ends its streams, as does the end of a login.</param>
    /// <param name="time">For the heartbeat.</param>
    /// <param name="lifetime">Ends the stream with the server.</param>
    /// <param name="job">Only what concerns this job; null for everything.</param>
    /// <param name="after">Number of the last event that the caller has.</param>
    private static async Task StreamAsync(
        HttpContext context, EventFeed feed, AccessTokens tokens, TimeProvider time, IHostApplicationLifetime lifetime, string? job = null, long? after = null)
    {
        if (job is not null)
        {
            Grpc.Demand.Identifier(job, "job");
        }

        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        IAsyncEnumerator<ServerEvent> events = feed.ReadAsync(LastOf(context.Request) ?? after, ended.Token).GetAsyncEnumerator(ended.Token);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers[HeaderNames.CacheControl] = "no-store";

        // A proxy in front that gathers what it passes on would hold events back.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        Task<bool>? next = null;
        try
        {
            await context.Response.Body.WriteAsync(_opening, ended.Token);
            long written = time.GetTimestamp();
            while (true)
            {
                await context.Response.Body.FlushAsync(ended.Token);
                next ??= events.MoveNextAsync().AsTask();
                bool arrived = await ArrivesAsync(next, Heartbeat - time.GetElapsedTime(written), time, ended.Token);
                if (!AccessIdentity.Stands(context.User, tokens, time))
                {
                    break;
                }

                if (arrived)
                {
                    next = null;
                    if (job is null || events.Current is EventsMissed || events.Current.JobOf == job)
                    {
                        Write(context.Response.BodyWriter, events.Current);
                        written = time.GetTimestamp();
                    }
                }

                // What arrives may be of no concern here: what counts is what was written.
                if (!arrived || time.GetElapsedTime(written) >= Heartbeat)
                {
                    await context.Response.Body.WriteAsync(_beat, ended.Token);
                    written = time.GetTimestamp();
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && ended.IsCancellationRequested)
        {
            // The caller went, or the server stops: both are how a stream ends.
        }
        finally
        {
            await ended.CancelAsync();
            if (next is not null)
            {
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await events.DisposeAsync();
        }
    }

    /// <summary>Writes one event: its number, what it is, and itself as one line of JSON.</summary>
    internal static void Write(IBufferWriter<byte> output, ServerEvent happened)
    {
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {happened.EventId}\nevent: {happened.Kind}\ndata: "), output);
        output.Write(happened.ToJson());
        output.Write("\n\n"u8);
    }

    private static async Task<bool> ArrivesAsync(Task next, TimeSpan wait, TimeProvider time, CancellationToken ct)
    {
        try
        {
            await next.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static long? LastOf(HttpRequest request)
    {
        string text = request.Headers[LastEventId].ToString();
        return text.Length == 0
            ? null
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long last)
                ? last
                : throw new ProtocolViolationException(ErrorCode.InvalidSetting, $"{LastEventId} is not the number of an event.");
    }
}
