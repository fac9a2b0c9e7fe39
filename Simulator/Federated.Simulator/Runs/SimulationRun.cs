using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Simulator.Faults;
using Federated.Simulator.Population;
using Federated.Simulator.Reports;
using Federated.Simulator.Scenarios;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Simulator.Runs;

/// <summary>One run from the examples to the written results. Used once.</summary>
internal sealed class SimulationRun(RunRequest request, IRunView view, TimeProvider time)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Scenario _scenario = request.Scenario.Scenario;
    private readonly EnergyMeter _energy = new(request.Earlier?.EnergyMicrojoules ?? 0, request.Earlier?.EnergyContributions ?? 0);
    private readonly long _started = time.GetTimestamp();

    /// <summary>
    /// Runs to the end of the job, writes the results and gives the account. A cancelled run still writes everything; on its own server it can
    /// go on in another process, elsewhere its job is cancelled.
    /// </summary>
    /// <exception cref="ServerApiException">The server cannot be reached or refuses the job.</exception>
    /// <exception cref="InvalidSettingsException">There are too few examples for the population.</exception>
    /// <exception cref="InvalidDataException">The examples cannot be read.</exception>
    /// <exception cref="IOException">The run goes on in another process already, or its folder cannot be written; nothing has begun.</exception>
    /// <exception cref="RunStoppedEarlyException">A person stopped it before its job began.</exception>
    /// <exception cref="RunBrokenException">
    /// Its results could not be written any more, or for a minute the store of its own server. No device trains; it can go on in another process, elsewhere its job is cancelled.
    /// </exception>
    public async Task<RunSummary> RunAsync(CancellationToken cancellationToken)
    {
        ScenarioExamples examples = ScenarioExamples.Open(_scenario);
        using FleetEnrollment? enrollment = Enroll(examples.Parts.Length);
        await using SimulationServer? attached = request.Server is { } address ? await SimulationServer.AttachAsync(address, cancellationToken) : null;

        // The folder may hold the results of an earlier run, which go only when what was asked for can be done. A server of its own keeps its store there; another
        // one has to take the job first.
        JobStatus? taken = attached is null ? null : await attached.Api.SubmitJobAsync(request.Scenario.JobJson, cancellationToken);
        try
        {
            ThrowIfStopped(cancellationToken);
            if (request.Earlier is null)
            {
                request.Folder.Clear();
                await request.Folder.WriteScenarioAsync(request.Scenario.Json, CancellationToken.None);
            }

            await using SimulationServer? own = attached is null ? await StartAsync(enrollment, cancellationToken) : null;
            ThrowIfStopped(cancellationToken);
            return await RunAsync(attached ?? own!, examples, enrollment, taken, cancellationToken);
        }
        catch when (attached is not null && taken is not null)
        {
            // Nobody would train for it any more.
            await CancelAsync(attached, taken.JobId);
            throw;
        }
    }

    /// <summary>The run on a server that is there.</summary>
    /// <param name="server">The server.</param>
    /// <param name="examples">The devices' examples.</param>
    /// <param name="enrollment">Their keys; null without secure aggregation.</param>
    /// <param name="taken">The job when the server has taken it already.</param>
    /// <param name="cancellationToken">A person's Ctrl-C.</param>
    private async Task<RunSummary> RunAsync(
        SimulationServer server, ScenarioExamples examples, FleetEnrollment? enrollment, JobStatus? taken, CancellationToken cancellationToken)
    {
        try
        {
            return await FollowToTheEndAsync(server, examples, enrollment, taken, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string remedy = server.IsEmbedded && request.Folder.HasState ? $"; 'run --resume {request.Folder.Path}' goes on with it once this is put right" : "";
            throw new RunBrokenException($"The run broke off{remedy}: {e.Message}", e);
        }
    }

    private async Task<RunSummary> FollowToTheEndAsync(
        SimulationServer server, ScenarioExamples examples, FleetEnrollment? enrollment, JobStatus? taken, CancellationToken cancellationToken)
    {
        if (enrollment is not null)
        {
            enrollment.KnowServer((await server.Api.DescribeAsync(CancellationToken.None)).SigningKey);
        }

        using ModelCache models = new(new ModelCacheOptions { TrainingThreads = request.Threads, ChargeEveryDevice = true }, request.Engine);
        JobStatus? earlier = request.Earlier is { } state ? await server.Api.GetJobAsync(state.JobId, CancellationToken.None) : null;
        await using DeviceFleet fleet = CreateFleet(server, examples, models, enrollment, halfDone: earlier?.NextRound);

        view.Opening(RunAccount.Headline(request, server, examples.Parts.Sum(part => part.Length)));
        RunClock clock = new(time, _started, request.Earlier) { IsOver = earlier?.State is JobState.Completed or JobState.Cancelled or JobState.Failed };
        ThrowIfStopped(cancellationToken);

        // From the submission on a run can go on, so it is not given up half-way.
        JobStatus job = earlier ?? taken ?? await SubmitAsync(server);
        RunJournal? journal = server.IsEmbedded ? new(request.Folder, job.JobId, request.Engine.Name, clock, _energy) : null;
        RoundFollower follower = new(server, job.JobId, request.Folder.RoundsPath, view, clock, journal, time) { ContinuedAt = earlier?.Round ?? 0 };
        RunEnding ending = await FollowAsync(server, job.JobId, follower, fleet, clock, cancellationToken);
        if (journal is not null)
        {
            await journal.WriteAsync();
        }

        RunSummary summary = RunAccount.Summary(request, ending, follower.Job ?? job, follower.Rounds, clock, _energy.JoulesPerContribution);
        await request.Folder.WriteSummaryAsync(summary, CancellationToken.None);
        RunPlots.Write(request.Folder, summary, follower.Rounds);
        await RunReport.WriteAsync(request, summary, server.Api, follower.Job ?? job, follower.Rounds, time.GetUtcNow());
        if (request.Afterwards is { } afterwards)
        {
            await afterwards(summary, server.Api.Address, cancellationToken);
        }

        return summary;
    }

    private async Task<SimulationServer> StartAsync(FleetEnrollment? enrollment, CancellationToken cancellationToken)
    {
        try
        {
            return await SimulationServer.StartAsync(request.Folder.ServerPath, request.Threads, enrollment?.Devices, time);
        }
        catch (Exception e) when (e is OperationCanceledException || cancellationToken.IsCancellationRequested)
        {
            // The server hears the signal as well, and maybe first; how its start broke off is no news.
            throw StoppedEarly(cancellationToken);
        }
    }

    private async Task<JobStatus> SubmitAsync(SimulationServer server)
    {
        try
        {
            return await server.Api.SubmitJobAsync(request.Scenario.JobJson, CancellationToken.None);
        }
        catch (ServerApiException e) when (server.Store?.Reason is { } reason)
        {
            throw new RunBrokenException($"The run could not begin, because the server could not write its store. {reason}", e);
        }
    }

    /// <summary>Ctrl-C before a run has anything that it could go on from.</summary>
    private void ThrowIfStopped(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            throw StoppedEarly(cancellationToken);
        }
    }

    private RunStoppedEarlyException StoppedEarly(CancellationToken cancellationToken) => new(
        request.Earlier is null
            ? "The run was stopped before its job began; there is nothing to go on with. Start it again."
            : $"The run was stopped before it went on; 'run --resume {request.Folder.Path}' goes on with it.",
        cancellationToken);

    private FleetEnrollment? Enroll(int devices)
    {
        if (_scenario.Job.Aggregation.Secure is null)
        {
            return null;
        }

        return request.Server is null
            ? new FleetEnrollment(DeviceFleet.Names(devices))
            : throw new InvalidSettingsException(
                [new SettingProblem(
                    "job.aggregation.secure",
                    "a value together with --server",
                    "null: simulated devices are enrolled with the simulator's own server alone; or leave --server out")]);
    }

    private DeviceFleet CreateFleet(
        SimulationServer server, ScenarioExamples examples, ModelCache models, FleetEnrollment? enrollment, long? halfDone)
    {
        ulong seed = _scenario.Job.Seed;
        FaultSettings faults = _scenario.Faults;
        return DeviceFleet.Create(
            server.GrpcAddress,
            _scenario.Job.Population,
            examples.Examples,
            examples.Parts,
            FleetProfile.Deal(_scenario.Population.ToProfiles(), examples.Parts.Length, seed),
            new FleetSurroundings
            {
                Models = models,
                Session = new SessionOptions
                {
                    PauseAfterFailure = TimeSpan.Zero,

                    // A fleet stops with its server or with its job; of neither is there anybody to tell.
                    InterruptTimeout = TimeSpan.Zero,
                    Buffers = CohortBuffers.For(_scenario.Job.Cohort.CohortSize),
                    Engine = request.Engine.Name,
                },
                Faults = new FaultModel(seed, faults.DropRate, faults.Jitter),
                SilentLosses = faults.Silent,
                Gate = new ArrivalGate(time, halfDone),
                Energy = _energy,
                Time = time,
            },
            enrollment);
    }

    /// <summary>Lets the devices take part and the view follow until the job ends; then no device is in a round any more.</summary>
    private async Task<RunEnding> FollowAsync(
        SimulationServer server, string jobId, RoundFollower follower, DeviceFleet fleet, RunClock clock, CancellationToken cancellationToken)
    {
        using CancellationTokenSource following = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        RunProgress progress = new() { MaxRounds = _scenario.Job.Rounds, TargetAccuracy = _scenario.Job.TargetAccuracy };
        Task devices = fleet.Start();
        Task<JobStatus> end = follower.FollowAsync(progress, following.Token);
        RunEnding ending;
        try
        {
            // A job that has ended is told as it ended, whatever became of a device meanwhile.
            await await Task.WhenAny(end, devices);
            ending = RunAccount.EndingOf(await end, _scenario.Job.TargetAccuracy);
            clock.Stop();
            await fleet.DrainAsync(_patience);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            ending = new RunEnding(RunOutcome.Interrupted, server.IsEmbedded ? $"stopped by a person; 'run --resume {request.Folder.Path}' goes on with it" : "stopped by a person");
        }
        catch (Exception e) when (e is ServerLinkException or ServerApiException)
        {
            ending = new RunEnding(RunOutcome.Failed, e.Message);
        }
        catch (Exception e) when (devices.IsFaulted)
        {
            ending = new RunEnding(RunOutcome.Failed, $"a device failed: {e.Message}");
        }
        catch
        {
            // What breaks the run itself, for example a full disk, is no ending of the job; but no device may outlive the models it trains.
            await fleet.StopAsync();
            throw;
        }
        finally
        {
            clock.Stop();
            await following.CancelAsync();

            // Its failure, if any, has been taken up.
            await ((Task)end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await WindUpAsync(server, jobId, follower, fleet, cancelJob: !server.IsEmbedded && (ending.Outcome is RunOutcome.Interrupted or RunOutcome.Failed));
        return ending;
    }

    private static async Task WindUpAsync(SimulationServer server, string jobId, RoundFollower follower, DeviceFleet fleet, bool cancelJob)
    {
        try
        {
            if (cancelJob)
            {
                await CancelUnlessOverAsync(server, jobId);
            }

            await fleet.StopAsync();
            await follower.SettleAsync();
        }
        catch (ServerApiException)
        {
            // The server is gone, which the ending tells; what was followed so far is what there is.
            await fleet.StopAsync();
        }
    }

    private static async Task CancelUnlessOverAsync(SimulationServer server, string jobId)
    {
        try
        {
            await server.Api.CancelJobAsync(jobId, CancellationToken.None);
        }
        catch (ServerApiException e) when (e.Error?.Code == (int)ErrorCode.Conflict)
        {
            // It has ended by itself.
        }
    }

    private static async Task CancelAsync(SimulationServer server, string jobId)
    {
        try
        {
            await server.Api.CancelJobAsync(jobId, CancellationToken.None);
        }
        catch (ServerApiException)
        {
            // The server is gone. What broke the run is told instead.
        }
    }
}
