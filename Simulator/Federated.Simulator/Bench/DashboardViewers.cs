using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Federated.Simulator.Bench;

/// <summary>Pages of a server's dashboard that are open in a browser without a window: each has its circuit in the server, follows the events and is drawn.</summary>
internal sealed partial class DashboardViewers : IAsyncDisposable
{
    private static readonly string[] _places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private readonly Process _browser;
    private readonly DirectoryInfo _profile;
    private readonly HttpClient _control;

    private DashboardViewers(Process browser, DirectoryInfo profile, Uri control)
    {
        _browser = browser;
        _profile = profile;
        _control = new HttpClient { BaseAddress = control };
    }

    /// <summary>The browser that would be used; null when there is none.</summary>
    public static string? Browser => Environment.GetEnvironmentVariable("FEDERATED_CHROMIUM") ?? _places.FirstOrDefault(File.Exists);

    /// <summary>Opens the pages and waits until each has been drawn.</summary>
    /// <exception cref="InvalidOperationException">There is no browser, or it does not draw them.</exception>
    public static async Task<DashboardViewers> OpenAsync(IReadOnlyList<Uri> pages, CancellationToken ct)
    {
        string browser = Browser ?? throw new InvalidOperationException("There is no Chromium. Install it, or name a browser in FEDERATED_CHROMIUM.");
        DirectoryInfo profile = Directory.CreateTempSubdirectory("federated-viewers-");

        // A page that nobody sees is slowed down by browsers, and would ask less of the server.
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
            "--disable-backgrounding-occluded-windows", "--remote-debugging-port=0", $"--user-data-dir={profile.FullName}", "about:blank",
        ];
        Process process = Process.Start(new ProcessStartInfo(browser, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"'{browser}' could not be started.");
        DashboardViewers viewers = new(process, profile, await ControlAsync(process, ct));
        try
        {
            foreach (Uri page in pages)
            {
                using HttpRequestMessage request = new(HttpMethod.Put, $"json/new?{page}");
                using HttpResponseMessage opened = await viewers._control.SendAsync(request, ct);
                opened.EnsureSuccessStatusCode();
            }

            await viewers.DrawnAsync(pages.Count, ct);
            return viewers;
        }
        catch
        {
            await viewers.DisposeAsync();
            throw;
        }
    }

    /// <summary>Pages that are drawn: the server's circuit gives each its title.</summary>
    public async Task<int> CountAsync(CancellationToken ct)
    {
        JsonElement[] targets = await _control.GetFromJsonAsync<JsonElement[]>("json/list", ct) ?? [];
        return targets.Count(target => target.GetProperty("type").GetString() == "page" && target.GetProperty("title").GetString()!.EndsWith(" · Federated", StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        _browser.Kill(entireProcessTree: true);
        await _browser.WaitForExitAsync();
        _browser.Dispose();
        try
        {
            _profile.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A process of the browser that ends a moment later still writes; what is left lies in the folder for temporary files.
        }
    }

    private async Task DrawnAsync(int pages, CancellationToken ct)
    {
        long began = TimeProvider.System.GetTimestamp();
        int drawn;
        while ((drawn = await CountAsync(ct)) < pages)
        {
            if (TimeProvider.System.GetElapsedTime(began) > _patience)
            {
                throw new InvalidOperationException($"The browser has drawn {drawn} of {pages} pages of the dashboard in {_patience.TotalSeconds} s.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, ct);
        }
    }

    // It says on standard error where it can be told what to do, and later a lot that nobody needs.
    private static async Task<Uri> ControlAsync(Process process, CancellationToken ct)
    {
        TaskCompletionSource<Uri> control = new(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text && Listening().Match(text) is { Success: true } match)
            {
                control.TrySetResult(new Uri($"http://{match.Groups[1].Value}/"));
            }
        };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        try
        {
            return await control.Task.WaitAsync(_patience, ct);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"The browser did not say within {_patience.TotalSeconds} s where it can be told what to do. Is the machine overloaded?");
        }
    }

    [GeneratedRegex("DevTools listening on ws://([^/]+)/")]
    private static partial Regex Listening();
}
