using System.Collections.Concurrent;
using Federated.Client.Policies;
using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Protos;
using Federated.Testing;
using Federated.Training;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Client.Tests.Policies;

public sealed class PolicyGuardTests
{
    private static readonly DevicePolicy _cool = new() { MaxCelsius = 80, SettleSeconds = 2, MaxPauseSeconds = 60 };

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ConcurrentQueue<PolicyReason> _told = new();
    private volatile DeviceReading _reading = new() { Celsius = 50 };

    [Fact]
    public async Task Round_DeviceGetsHot_PausesBetweenTwoStepsAndGoesOn()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using PolicyGuard guard = Guard(_cool);
        scene.Pacing = guard;
        scene.Plan = scene.Plan with { Training = scene.Plan.Training with { Epochs = 5 } };
        TaskCompletionSource hot = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int steps = 0;
        int whileHot = 0;
        scene.Step = () =>
        {
            whileHot += _reading.Celsius > 80 ? 1 : 0;
            if (++steps == 3)
            {
                _reading = new DeviceReading { Celsius = 90 };
                _time.Advance(TimeSpan.FromSeconds(0.5));
                hot.SetResult();
            }
        };

        Task<SessionReport> running = scene.RunAsync();
        await hot.Task.WaitAsync(TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(3, steps);
        Assert.False(running.IsCompleted);
        _reading = new DeviceReading { Celsius = 60 };
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3, steps);
        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(SessionResult.Accepted, (await running).Result);
        Assert.Equal(10, steps);
        Assert.Equal(0, whileHot);
    }

    [Fact]
    public async Task Round_StaysHot_IsGivenUpWithTheReason()
    {
        AbortReport report = await AbortAsync(_cool, () => _reading = new DeviceReading { Celsius = 95 }, TimeSpan.FromSeconds(61));

        Assert.Equal(PolicyReason.Temperature, report.Policy);
        Assert.Contains("95 °C", report.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Round_QuietHoursBegin_IsGivenUpAtOnce()
    {
        AbortReport report = await AbortAsync(new DevicePolicy { QuietHours = ["12:01-13:00"] }, () => { }, TimeSpan.FromSeconds(60.5));

        Assert.Equal(PolicyReason.QuietHours, report.Policy);
    }

    [Fact]
    public async Task Round_DayUsedUp_IsGivenUpAndStaysSoAfterARestart()
    {
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "day.json");
        DevicePolicy policy = new() { MaxJoulesADay = 100, WattsWhileTraining = 4 };

        // The step takes 25 s by the clock it is measured with.
        AbortReport report = await AbortAsync(policy, () => { }, TimeSpan.FromSeconds(25), file);

        Assert.Equal(PolicyReason.DailyEnergy, report.Policy);
        using PolicyGuard again = Guard(policy, file);
        Assert.NotNull(await again.AskAsync(TestContext.Current.CancellationToken));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.NotNull(await again.AskAsync(TestContext.Current.CancellationToken));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await again.AskAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Round_ForbiddenWhileItIsAssigned_WaitsBeforeItDownloads()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using PolicyGuard guard = Guard(_cool);
        scene.Pacing = guard;
        CheckInReply assignment = RoundScene.Assign(scene.Plan.ToBytes());
        scene.Script.CheckIn = _ =>
        {
            _reading = new DeviceReading { Celsius = 90 };
            return assignment;
        };
        using CancellationTokenSource stop = new();

        Task<SessionReport> running = scene.RunUntilAsync(stop.Token);
        while (scene.Script.CheckIns.IsEmpty)
        {
            await Task.Yield();
        }

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Empty(scene.Script.Downloads);
    }

    [Fact]
    public async Task Ask_Forbidden_TellsTheServerOnceAReason()
    {
        using PolicyGuard guard = Guard(_cool with { MinFreeMemoryMebibytes = 100 });
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        Assert.Null(await guard.AskAsync(cancelled));

        _reading = new DeviceReading { Celsius = 90, FreeMemoryBytes = 200L << 20 };
        Assert.NotNull(await guard.AskAsync(cancelled));
        Assert.NotNull(await guard.AskAsync(cancelled));
        Assert.Equal([PolicyReason.Temperature], _told);
        _reading = new DeviceReading { Celsius = 50, FreeMemoryBytes = 1 };
        Assert.NotNull(await guard.AskAsync(cancelled));
        Assert.Equal([PolicyReason.Temperature, PolicyReason.Memory], _told);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.NotNull(await guard.AskAsync(cancelled));
        Assert.Equal(3, _told.Count);
        _reading = new DeviceReading { Celsius = 50, FreeMemoryBytes = 200L << 20 };
        Assert.NotNull(await guard.AskAsync(cancelled));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await guard.AskAsync(cancelled));
    }

    [Fact]
    public async Task Agent_Forbidden_ChecksInWithTheReasonAndTakesNoRound()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using ModelCache models = scene.Cache();
        ClientSession session = scene.Session(models);
        _reading = new DeviceReading { Celsius = 90 };
        TaskCompletionSource told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using PolicyGuard guard = new(
            _cool,
            () => _reading,
            null,
            async (refusal, ct) =>
            {
                await session.WithholdAsync(refusal.Reason, refusal.Detail, ct);
                told.TrySetResult();
            },
            _time,
            NullLogger.Instance);
        Client.Session.Agent agent = new(
            new ClientIdentity("device-1", "pop", new Dictionary<string, string>()), session, new AgentOptions { Rounds = 1 }, _time, NullLogger.Instance, [guard]);

        Task<long> running = agent.RunAsync(null, null, TestContext.Current.CancellationToken);
        await told.Task.WaitAsync(TestContext.Current.CancellationToken);
        CheckInRequest withheld = Assert.Single(scene.Script.CheckIns);
        Assert.Equal(PolicyReason.Temperature, withheld.Withheld);
        Assert.Contains("90 °C", withheld.WithheldDetail, StringComparison.Ordinal);
        Assert.Equal(0u, withheld.MaxHoldMs);
        Assert.Empty(scene.Script.Downloads);
        _reading = new DeviceReading { Celsius = 50 };
        while (!running.IsCompleted)
        {
            // Real time as well, so that the clock does not run hours ahead of the agent.
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, await running);
        Assert.Equal(PolicyReason.Unspecified, scene.Script.CheckIns.Last().Withheld);
    }

    [Fact]
    public void Pace_HalfTheProcessor_RestsAsLongAsItWorks()
    {
        using PolicyGuard guard = new(new DevicePolicy { ProcessorShare = 0.5 }, () => _reading, null, (_, _) => Task.CompletedTask, TimeProvider.System, NullLogger.Instance);
        using IDisposable round = guard.Begin();
        using BusyWorkspace busy = new();
        IModelWorkspace paced = guard.Pace(busy, TestContext.Current.CancellationToken);
        long began = TimeProvider.System.GetTimestamp();

        for (int step = 0; step < 8; step++)
        {
            paced.LossAndGradient(new FakeExamples(2), [0, 1]);
        }

        // The last step's rest is in it; what the system rounds up it gives back in the next one.
        double share = busy.Busy / TimeProvider.System.GetElapsedTime(began);
        Assert.InRange(share, 0, 0.55);

        // A machine under load may stretch a rest by any time. But it is given back, so that the rests are not all too long.
        Assert.True(busy.ShortestPause < 2 * busy.LongestStep, $"Steps of at most {busy.LongestStep}, pauses of at least {busy.ShortestPause}.");
    }

    private async Task<AbortReport> AbortAsync(DevicePolicy policy, Action turn, TimeSpan stepTakes, string? file = null)
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        using PolicyGuard guard = Guard(policy, file);
        scene.Pacing = guard;
        int steps = 0;
        scene.Step = () =>
        {
            if (++steps == 1)
            {
                turn();
                _time.Advance(TimeSpan.FromSeconds(0.5));
                _time.Advance(stepTakes);
            }

            // What a step has used counts when it is done, and is found by the next look.
            _time.Advance(TimeSpan.FromSeconds(1));
        };
        scene.Plan = scene.Plan with { Training = scene.Plan.Training with { Epochs = 500 } };

        SessionReport report = await scene.RunAsync();

        Assert.Equal(SessionResult.Aborted, report.Result);
        AbortReport abort = Assert.Single(scene.Script.Aborts);
        Assert.Equal(AbortReason.Policy, abort.Reason);
        Assert.Empty(scene.Script.Contributions);
        return abort;
    }

    private PolicyGuard Guard(DevicePolicy policy, string? file = null) => new(
        policy,
        () => _reading,
        file,
        (refusal, _) =>
        {
            _told.Enqueue(refusal.Reason);
            return Task.CompletedTask;
        },
        _time,
        NullLogger.Instance);

    /// <summary>Every step keeps the processor for 20 ms.</summary>
    private sealed class BusyWorkspace : IModelWorkspace
    {
        private long _ended;

        public TimeSpan Busy { get; private set; }

        public TimeSpan LongestStep { get; private set; }

        /// <summary>Between two steps.</summary>
        public TimeSpan ShortestPause { get; private set; } = TimeSpan.MaxValue;

        public Span<float> Adapter => [];

        public Span<float> Gradient => [];

        public float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices)
        {
            long began = TimeProvider.System.GetTimestamp();
            TimeSpan pause = _ended == 0 ? TimeSpan.MaxValue : TimeProvider.System.GetElapsedTime(_ended, began);
            ShortestPause = pause < ShortestPause ? pause : ShortestPause;
            while (TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMilliseconds(20))
            {
            }

            _ended = TimeProvider.System.GetTimestamp();
            TimeSpan step = TimeProvider.System.GetElapsedTime(began, _ended);
            LongestStep = step > LongestStep ? step : LongestStep;
            Busy += step;
            return 0;
        }

        public EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices) => throw new NotSupportedException();

        public void Score(IExampleSource examples, ReadOnlySpan<int> indices, Span<float> scores) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
