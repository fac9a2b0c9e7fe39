using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Federated.Dashboard.Tests.Scene;

/// <summary>A page in a context of its own that notes what must not happen: errors, and requests that leave the server under test.</summary>
internal sealed class WatchedPage : IAsyncDisposable
{
    private const float PatienceMilliseconds = 60_000;

    private readonly IBrowserContext _context;
    private readonly Uri _server;
    private readonly ConcurrentQueue<string> _wrong = new();

    private WatchedPage(IBrowserContext context, IPage page, Uri server)
    {
        _context = context;
        _server = server;
        Page = page;
        page.Console += (_, message) => Note(message.Type is "error" or "warning", $"console {message.Type}: {message.Text} ({message.Location})");
        page.PageError += (_, error) => Note(true, $"script error: {error}");
        page.Request += (_, request) => Note(IsForeign(request.Url), $"a request left the machine: {request.Url}");
        page.WebSocket += (_, socket) => Note(IsForeign(socket.Url), $"a socket left the machine: {socket.Url}");
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>Opens a context with an empty page.</summary>
    public static async Task<WatchedPage> OpenAsync(IBrowser browser, Uri server, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        IBrowserContext context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = server.ToString(),
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = height },
        });
        context.SetDefaultTimeout(PatienceMilliseconds);
        Assertions.SetDefaultExpectTimeout(PatienceMilliseconds);
        return new WatchedPage(context, await context.NewPageAsync(), server);
    }

    /// <summary>Goes to a path and waits until its heading is there.</summary>
    public async Task GoAsync(string path, string heading)
    {
        await Page.GotoAsync(path);
        await Assertions.Expect(Page.Locator("h1")).ToHaveTextAsync(heading);
        await Assertions.Expect(Page.GetByText("Reading …")).ToHaveCountAsync(0);
    }

    /// <summary>Fails if anything happened that must not.</summary>
    public void AssertClean() => Assert.True(_wrong.IsEmpty, string.Join(Environment.NewLine, _wrong));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Note(bool wrong, string what)
    {
        if (wrong)
        {
            _wrong.Enqueue(what);
        }
    }

    private bool IsForeign(string url) => !url.StartsWith("data:", StringComparison.Ordinal) && new Uri(url).Authority != _server.Authority;
}
