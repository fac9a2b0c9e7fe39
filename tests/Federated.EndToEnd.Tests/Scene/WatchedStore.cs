using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A way to a blob store that passes reads on and shows them to the test; it can stop in the middle of one, or spoil it.</summary>
internal sealed class WatchedStore : IAsyncDisposable
{
    private readonly HttpClient _store = new();
    private readonly Uri _behind;
    private readonly WebApplication _application;

    private WatchedStore(WebApplication application, Uri behind)
    {
        _application = application;
        _behind = behind;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_application.Urls.Single());

    /// <summary>Every read: what was wanted, and how the store answered.</summary>
    public ConcurrentQueue<(string? Range, int Status)> Reads { get; } = new();

    /// <summary>Names of all heads that readers sent.</summary>
    public ConcurrentDictionary<string, bool> Heads { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>After how many bytes of an answer nothing more comes; never when null.</summary>
    public long? StopsAfter { get; set; }

    /// <summary>Whether the first byte of every answer is another one.</summary>
    public bool Spoils { get; set; }

    /// <summary>Opens one on a free port of the loopback interface.</summary>
    public static async Task<WatchedStore> OpenAsync(Uri behind)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        WebApplication application = builder.Build();
        WatchedStore store = new(application, behind);
        application.Run(store.PassAsync);
        await application.StartAsync();
        return store;
    }

    /// <summary>An address of the store behind, by way of this one.</summary>
    public string Through(string address) => new UriBuilder(address) { Host = Address.Host, Port = Address.Port }.Uri.AbsoluteUri;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
        _store.Dispose();
    }

    private async Task PassAsync(HttpContext context)
    {
        foreach (string head in context.Request.Headers.Keys)
        {
            Heads[head] = true;
        }

        string? range = context.Request.Headers.Range;
        using HttpRequestMessage request = new(new HttpMethod(context.Request.Method), new Uri(_behind, context.Request.Path + context.Request.QueryString));
        request.Headers.Range = range is null ? null : RangeHeaderValue.Parse(range);
        using HttpResponseMessage answer = await _store.SendAsync(request, context.RequestAborted);
        Reads.Enqueue((range, (int)answer.StatusCode));
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentLength = answer.Content.Headers.ContentLength;
        context.Response.Headers.ContentRange = answer.Content.Headers.ContentRange?.ToString();
        byte[] body = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
        body[0] ^= (byte)(Spoils ? 1 : 0);
        int sent = (int)Math.Min(body.Length, StopsAfter ?? body.Length);
        await context.Response.Body.WriteAsync(body.AsMemory(0, sent), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        if (sent < body.Length)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }
    }
}
