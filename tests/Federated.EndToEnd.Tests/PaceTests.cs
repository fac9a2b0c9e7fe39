using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;
using Grpc.Net.Client;

namespace Federated.EndToEnd.Tests;

/// <summary>When a server with its own settings tells devices to come back.</summary>
public sealed class PaceTests
{
    private static readonly TimeSpan _leastIdle = TimeSpan.FromMinutes(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CheckIn_AsJobsComeAndGo_IsAskedBackSoonOnlyWhileOneRuns()
    {
        using TemporaryFolder store = new();
        await using ServerProcess server = await ServerProcess.StartAsync(store.Path);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        StubDevice[] devices = [.. Enumerable.Range(0, 2).Select(i => new StubDevice($"paced-{i}", "paced", channel))];
        await WaitsAsync(devices[0], idle: true);

        JobStatus first = await server.Api.SubmitJobAsync(VectorJob.Spec("first", 2, 2, 1, 10, population: "paced"), Ct);
        await WaitsAsync(devices[0], idle: false);
        PlanDocument[] plans = await Task.WhenAll(devices.Select(device => device.CheckInAsync()));
        await VectorJob.ContributeAsync(plans[0], devices);
        Assert.Equal(JobState.Completed, (await RunningServer.EndAsync(server.Api, first.JobId)).State);
        await WaitsAsync(devices[0], idle: true);

        JobStatus second = await server.Api.SubmitJobAsync(VectorJob.Spec("second", 2, 2, 1, 10, population: "paced"), Ct);
        await WaitsAsync(devices[0], idle: false);
        await server.Api.PauseJobAsync(second.JobId, Ct);
        await WaitsAsync(devices[0], idle: true);
    }

    private static async Task WaitsAsync(StubDevice device, bool idle) => _ = await Eventually.GetAsync(
        $"a device that is not wanted waits {(idle ? "minutes" : "seconds")}",
        async () => await device.CheckInOnceAsync(TimeSpan.Zero) is { Retry: { } retry } && TimeSpan.FromMilliseconds(retry.AfterMs) >= _leastIdle == idle ? "so" : null);
}
