using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Federated.Dashboard.Tests.Scene.BrowserFixture))]

namespace Federated.Dashboard.Tests.Scene;

/// <summary>The system's Chromium, once for all tests. Nothing is downloaded.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    private const float LaunchMilliseconds = 120_000;

    private static readonly string[] _places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;

    /// <summary>The browser.</summary>
    public IBrowser Browser { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        string path = Environment.GetEnvironmentVariable("FEDERATED_CHROMIUM")
            ?? _places.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("Chromium is missing. Run tests/setup.sh, or name a browser in FEDERATED_CHROMIUM.");
        _playwright = await Playwright.CreateAsync();
        Browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = ["--no-sandbox", "--disable-gpu"],
            Timeout = LaunchMilliseconds,
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Browser is not null)
        {
            await Browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }
}
