using Federated.Dashboard.Tests.Scene;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Api;
using Federated.Server.Dashboard;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Federated.Dashboard.Tests;

/// <summary>The dashboard in a real browser, on a server whose rounds are running.</summary>
public sealed class BrowserTests(DashboardScene scene, BrowserFixture chromium) : IClassFixture<DashboardScene>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task EveryPage_Opened_FitsAndIsCleanAndStaysOnTheMachine(int width, ColorScheme scheme)
    {
        await scene.RecordAsync(2);
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, scene.Address, width, 844, scheme);
        foreach ((string path, string heading, string says) in new[]
        {
            ("/", "Fleet", DashboardScene.SlowDevice),
            ("/jobs", "Jobs", scene.JobId),
            ($"/jobs/{scene.JobId}", scene.JobId, "Participation"),
            ($"/jobs/{scene.JobId}/rounds/1", "Round 1", DashboardScene.SlowDevice),
            ($"/devices/{DashboardScene.SlowDevice}", DashboardScene.SlowDevice, "Last rounds"),
            ("/models", "Models", scene.JobId),
            ($"/models/{scene.JobId}", $"Model of {scene.JobId}", "Compare two versions"),
            ("/new", "New job", "Learning rate"),
            ("/jobs/nothing-of-this-name", "nothing-of-this-name", "There is no job"),
            ("/devices/nobody", "nobody", "No device called"),
            ($"/jobs/{scene.JobId}/rounds/999999999", "Round 999999999", "Nothing is known"),
        })
        {
            await page.GoAsync(path, heading);
            await Expect(page.Page.Locator("main")).ToContainTextAsync(says);
            Assert.Equal(1, await page.Page.Locator("main").CountAsync());
            int overflow = await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - window.innerWidth");
            Assert.True(overflow <= 0, $"{path} is {overflow} pixels wider than a window of {width}.");
            string[] unnamed = await page.Page.EvaluateAsync<string[]>(UnnamedControls);
            Assert.True(unnamed.Length == 0, $"{path} has controls without a name: {string.Join(", ", unnamed)}");
            string[] unheaded = await page.Page.EvaluateAsync<string[]>(UnheadedTables);
            Assert.True(unheaded.Length == 0, $"{path} has tables whose cells have no header: {string.Join(", ", unheaded)}");
        }

        page.AssertClean();
    }

    [Fact]
    public async Task JobPage_RoundsEnd_FiguresAndChartsChangeWithoutReload()
    {
        await scene.RecordAsync(1);
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, scene.Address);
        await page.GoAsync($"/jobs/{scene.JobId}", scene.JobId);
        await page.Page.EvaluateAsync("window.notReloaded = true");
        ILocator round = page.Page.Locator(".figure dd").First;
        string before = await round.InnerTextAsync();

        await Expect(round).Not.ToHaveTextAsync(before);

        await Expect(page.Page.Locator(".chart canvas")).ToHaveCountAsync(4);
        await Expect(page.Page.Locator("#now + small, #now ~ small")).ToContainTextAsync("round");

        // The stage is read out when it changes; the bars, which change twice a second, are not.
        await Expect(page.Page.Locator("main [aria-live]")).ToHaveCountAsync(1);
        await Expect(page.Page.Locator("#now ~ small")).ToHaveAttributeAsync("aria-live", "polite");
        Assert.True(await page.Page.EvaluateAsync<bool>("window.notReloaded === true"));
        page.AssertClean();
    }

    [Fact]
    public async Task RoundPage_OneThrottledClient_NamesItAndItsPhase()
    {
        RoundRecord record = await SlowedRoundAsync();
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, scene.Address);

        await page.GoAsync($"/jobs/{scene.JobId}/rounds/{record.Round}", $"Round {record.Round}");

        string[] figures = [.. (await page.Page.Locator(".figure dd").AllInnerTextsAsync()).Select(text => text.Split('\n')[0])];
        Assert.Equal(
            [$"{record.Accepted} of {record.Selected}", "–", Units.Number(record.TrainLoss), Units.Number(record.UpdateNorm), Units.Bytes(record.BytesUp), Units.Seconds(record.Timing.TotalSeconds)],
            figures);
        await Expect(page.Page.Locator(".why")).ToContainTextAsync("Collecting updates took");
        await Expect(page.Page.Locator(".why")).ToContainTextAsync($"{DashboardScene.SlowDevice} was done");
        await Expect(page.Page.Locator(".why")).ToContainTextAsync("training took 1.50 s");
        await Expect(page.Page.Locator(".water caption")).ToHaveTextAsync("Devices of the round and what each of them did when");
        await Expect(page.Page.Locator(".water tbody tr")).ToHaveCountAsync(5);
        await Expect(page.Page.Locator(".water tr.slow th")).ToHaveTextAsync(DashboardScene.SlowDevice);
        page.AssertClean();
    }

    [Fact]
    public async Task NewJob_WrongField_ShowsTheMessageOfTheApiAndThenStarts()
    {
        const string wrong = """{ "name": "by-form", "population": "nobody", "rounds": 0, "model": { "builder": "vector", "parameters": 8 }, "cohort": { "goal": "many" } }""";
        ServerApiException refusal = await Assert.ThrowsAsync<ServerApiException>(() => scene.Api.SubmitJobAsync(wrong, Ct));
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, scene.Address);
        await page.GoAsync("/new", "New job");
        await Field("name").FillAsync("by-form");
        await Field("population").FillAsync("nobody");
        await Field("rounds").FillAsync("0");
        await Field("model.builder").SelectOptionAsync("vector");
        await Field("model.parameters").FillAsync("8");
        await Field("cohort.goal").FillAsync("many");
        ILocator start = page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Start the job" });

        await start.ClickAsync();

        Assert.Equal(2, refusal.Error!.Problems!.Count);
        foreach (SettingProblem problem in refusal.Error.Problems)
        {
            await Expect(page.Page.Locator($".field:has({IdOf(problem.Path)}) .problem")).ToHaveTextAsync(problem.ToString());
        }

        await Field("rounds").FillAsync("7");
        await Field("cohort.goal").FillAsync("3");
        await start.ClickAsync();
        await Expect(page.Page.Locator("h1")).ToHaveTextAsync("by-form-1");
        JobStatus job = await scene.Api.GetJobAsync("by-form-1", Ct);
        Assert.Equal((7L, JobState.Running), (job.MaxRounds, job.State));
        page.AssertClean();

        ILocator Field(string path) => page.Page.Locator(IdOf(path));
        static string IdOf(string path) => $"#field-{path.Replace('.', '-')}";
    }

    [Fact]
    public async Task JobPage_PauseResumeCancel_HappenAfterConfirmation()
    {
        string id = (await scene.Api.SubmitJobAsync(DashboardScene.Spec("short-lived").Replace("\"bench\"", "\"elsewhere\""), Ct)).JobId;
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, scene.Address);
        await page.GoAsync($"/jobs/{id}", id);
        ILocator state = page.Page.Locator(".head .badge");

        await Button("Pause").ClickAsync();
        await Expect(page.Page.Locator("dialog.confirm[open]")).ToHaveCountAsync(1);
        await page.Page.Keyboard.PressAsync("Escape");
        await Expect(page.Page.Locator("dialog.confirm")).ToHaveCountAsync(0);
        Assert.Equal(JobState.Running, (await scene.Api.GetJobAsync(id, Ct)).State);

        await Button("Pause").ClickAsync();
        await Button("Pause the job").ClickAsync();
        await Expect(state).ToHaveTextAsync("paused");
        await scene.StateAsync(id, JobState.Paused);

        await Button("Resume").ClickAsync();
        await Expect(state).ToHaveTextAsync("running");
        await scene.StateAsync(id, JobState.Running);

        await Button("Cancel job").ClickAsync();
        await Button("Cancel the job for good").ClickAsync();
        await Expect(state).ToHaveTextAsync("cancelled");
        await scene.StateAsync(id, JobState.Cancelled);
        await Expect(Button("Pause")).ToHaveCountAsync(0);
        page.AssertClean();

        ILocator Button(string name) => page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });
    }

    [Fact]
    public async Task Theme_Switched_StaysAfterAReload()
    {
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, scene.Address);
        await page.GoAsync("/", "Fleet");
        string light = await BackgroundAsync();

        await page.Page.GetByLabel("Colours").SelectOptionAsync("dark");
        await Expect(page.Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        string dark = await BackgroundAsync();
        await page.GoAsync("/jobs", "Jobs");

        Assert.NotEqual(light, dark);
        Assert.Equal(dark, await BackgroundAsync());
        await Expect(page.Page.GetByLabel("Colours")).ToHaveValueAsync("dark");
        page.AssertClean();

        Task<string> BackgroundAsync() => page.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
    }

    [Fact]
    public async Task Keyboard_TabFromTheTop_ReachesContentAndPages()
    {
        await using WatchedPage page = await WatchedPage.OpenAsync(chromium.Browser, scene.Address);
        await page.GoAsync("/jobs", "Jobs");

        // Blazor moves the focus to the heading once the page is drawn; what comes before that would be lost.
        await Expect(page.Page.Locator("h1")).ToBeFocusedAsync();
        await page.Page.Locator("a").First.FocusAsync();
        List<string> reached = [];
        for (int i = 0; i < 12; i++)
        {
            await page.Page.Keyboard.PressAsync("Tab");
            reached.Add(await page.Page.EvaluateAsync<string>("document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label') || ''"));
        }

        Assert.Contains("Fleet", reached);
        Assert.Contains("New job", reached);
        Assert.Contains(scene.JobId, reached);
        await page.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Models" }).FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        await Expect(page.Page.Locator("h1")).ToHaveTextAsync("Models");
        page.AssertClean();
    }

    /// <summary>A round that waited for the throttled device alone: on a busy machine a quick one may be as late.</summary>
    private async Task<RoundRecord> SlowedRoundAsync()
    {
        const int rounds = 30;
        for (int round = 2; round < 2 + rounds; round++)
        {
            await scene.RecordAsync(round + 1);
            RoundRecord record = await scene.Api.RoundAsync(scene.JobId, round, Ct);
            if (RoundDiagnosis.Of(record, await scene.Api.TimelineAsync(scene.JobId, round, Ct)).Slow is [{ DeviceId: DashboardScene.SlowDevice }])
            {
                return record;
            }
        }

        throw new InvalidOperationException($"None of {rounds} rounds waited for {DashboardScene.SlowDevice} alone.");
    }

    private const string UnnamedControls = """
        [...document.querySelectorAll('button, input, select, textarea, a[href]')]
            .filter(e => !(e.textContent.trim() && e.tagName !== 'SELECT') && !e.getAttribute('aria-label') && !(e.labels && e.labels.length))
            .map(e => e.outerHTML.slice(0, 80))
        """;

    private const string UnheadedTables = """
        [...document.querySelectorAll('main table')]
            .filter(t => [...t.querySelectorAll('th')].some(h => !h.textContent.trim()) || !t.tHead && [...t.rows].some(r => !r.querySelector('th')))
            .map(t => t.outerHTML.slice(0, 80))
        """;
}
