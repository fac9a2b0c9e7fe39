using Federated.Dashboard.Tests.Scene;
using Federated.Server.Access;
using Federated.Server.Dashboard;
using Federated.Server.Hosting;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Grpc.Net.Client;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests;

/// <summary>The map of a fleet of devices that checked in with labels.</summary>
public sealed class FleetPageTests(BrowserFixture chromium)
{
    private static readonly string[] _sites = ["oslo", "bergen", "trondheim"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Map_SmallFleet_GroupsByTheChosenLabelAndIsWalkedByKeyboard()
    {
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, new AccessOptions());
        await CheckInAsync(server, 60);
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, server.ApiAddress);
        await page.GoAsync("/", "Fleet");

        await Expect(Blocks(page).Locator("h3 a")).ToHaveTextAsync(["armv8", "x64"]);
        await page.Page.GetByLabel("Label", new PageGetByLabelOptions { Exact = true }).SelectOptionAsync("site");
        await Expect(Blocks(page).Locator("h3 a")).ToHaveTextAsync(["bergen", "oslo", "trondheim"]);
        await Expect(Blocks(page).First.Locator("h3 strong")).ToHaveTextAsync("20");
        await Expect(Blocks(page).First.Locator(".states")).ToHaveTextAsync("20 resting");
        await Expect(page.Page.Locator(".marks .mark.resting")).ToHaveCountAsync(60);
        await Expect(page.Page.Locator(".figure dt")).ToHaveTextAsync(["Connected", "Waiting", "Training", "Resting", "Absent", "Check-ins"]);
        Assert.Equal(12, (await page.Page.Locator(".marks .mark").First.BoundingBoxAsync())!.Width);
        Assert.Equal(24, (await page.Page.Locator(".brand svg").BoundingBoxAsync())!.Width);

        // One stop of the Tab key for all marks of a block, arrows in between, and the way to the device.
        await Blocks(page).First.Locator("h3 a").FocusAsync();
        await page.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("device-00001: resting", await FocusedAsync(page));
        await page.Page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal("device-00004: resting", await FocusedAsync(page));
        await page.Page.Keyboard.PressAsync("End");
        Assert.Equal("device-00058: resting", await FocusedAsync(page));
        await page.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("oslo", await page.Page.EvaluateAsync<string>("document.activeElement.textContent"));

        // A block's name shows its devices in the list.
        await page.Page.Keyboard.PressAsync("Enter");
        await Expect(page.Page.Locator("#devices small")).ToHaveTextAsync("site: oslo");
        await Expect(page.Page.GetByText("1 to 20 of")).ToHaveCountAsync(0);
        await Expect(page.Page.Locator("section[aria-labelledby=devices] tbody tr")).ToHaveCountAsync(20);
        await page.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Show all" }).ClickAsync();
        await Expect(page.Page.GetByText("1 to 25 of 60 devices")).ToBeVisibleAsync();
        page.AssertClean();
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Map_TenThousandDevices_IsBoundedAndFits(int width, ColorScheme scheme)
    {
        const int devices = 10_000;
        using TemporaryFolder folder = new();
        await using FederatedServer server = await DashboardScene.StartServerAsync(folder, new AccessOptions());
        await CheckInAsync(server, devices);
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, server.ApiAddress, width, 844, scheme);
        await page.GoAsync("/?by=site", "Fleet");

        await Expect(page.Page.Locator(".legend")).ToContainTextAsync("One square is up to 10 devices");
        string[] counts = [.. await Blocks(page).Locator("h3 strong").AllInnerTextsAsync()];
        Assert.Equal(["3,334", "3,333", "3,333"], counts);
        Assert.InRange(await page.Page.Locator(".marks .mark").CountAsync(), devices / 10, FleetMap.MaxMarks + 15);
        int overflow = await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - window.innerWidth");
        Assert.True(overflow <= 0, $"The fleet is {overflow} pixels wider than a window of {width}.");
        page.AssertClean();
    }

    private static ILocator Blocks(WatchedPage page) => page.Page.Locator(".block");

    private static Task<string> FocusedAsync(WatchedPage page) => page.Page.EvaluateAsync<string>("document.activeElement.title");

    private static async Task CheckInAsync(FederatedServer server, int count)
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        DeviceService.DeviceServiceClient calls = new(channel);
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Ct }, async (i, ct) => await calls.CheckInAsync(
            new CheckInRequest
            {
                ProtocolVersion = ProtocolLimits.Version,
                DeviceId = $"device-{i:D5}",
                Population = "homes",
                Engine = "none",
                ClientVersion = "1.0.0",
                Labels = { ["site"] = _sites[i % 3], ["arch"] = i % 4 == 0 ? "x64" : "armv8" },
            },
            cancellationToken: ct));
    }
}
