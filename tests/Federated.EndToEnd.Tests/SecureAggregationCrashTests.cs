using System.Collections.Concurrent;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>
/// The server program is killed while devices are in the middle of the protocol, and started again on the same store and port. Whether it resumes
/// or begins the group again, the model is the one of an undisturbed run, bit for bit.
/// </summary>
public sealed class SecureAggregationCrashTests
{
    private const int Devices = 6;

    // Everyone is needed and nobody is late: no deadline may come while the server starts again.
    private const int ReportSeconds = 600;
    private const string Secure = """{ "secure": { "minMembers": 4, "stepSeconds": 120 } }""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(GroupStep.Roster, true)]
    [InlineData(GroupStep.Shares, false)]
    [InlineData(GroupStep.Survivors, false)]
    [InlineData(GroupStep.Consistency, false)]
    public Task Kill_InTheMiddleOfTheProtocol_EndsWithTheSameModel(GroupStep moment, bool beginsAgain) =>
        KillAsync(moment, beginsAgain, killIn: 1, SecureJob.Spec(Devices, Secure, rounds: 2, quorum: 1, reportSeconds: ReportSeconds));

    /// <summary>The set of the second round follows from the votes of the first.</summary>
    [Fact]
    public Task Kill_InARoundWithAToldSet_EndsWithTheSameModel() =>
        KillAsync(
            GroupStep.Consistency,
            beginsAgain: false,
            killIn: 2,
            SecureJob.Spec(Devices, Secure, rounds: 3, quorum: 1, density: 0.25, indexSet: "voted", reportSeconds: ReportSeconds));

    private static async Task KillAsync(GroupStep moment, bool beginsAgain, int killIn, string spec)
    {
        using TemporaryFolder store = new();
        using EnrolledFleet keys = new(KillableFleet.Names(Devices));
        string keyFile = Path.Combine(store.Path, "devices.json");
        keys.WriteFile(keyFile);
        string[] arguments = ["--grpc-port", $"{FreePort.Find()}", "--device-keys", keyFile];
        ServerProcess server = await ServerProcess.StartAsync(Path.Combine(store.Path, "server"), arguments);
        try
        {
            await keys.KnowAsync(server.Api);
            JobStatus job = await server.Api.SubmitJobAsync(spec, Ct);

            // All devices stand before the step until the server is there again.
            CountdownEvent standing = new(Devices);
            TaskCompletionSource restarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
            ConcurrentDictionary<int, int> invitations = [];
            await using KillableFleet fleet = new(async (device, plan, step, ct) =>
            {
                int invited = step == GroupStep.Invitation && plan.Round == killIn ? 1 : 0;
                invitations.AddOrUpdate(device, invited, (_, n) => n + invited);
                if (step == moment && plan.Round == killIn && !restarted.Task.IsCompleted)
                {
                    standing.Signal();
                    await restarted.Task.WaitAsync(ct);
                }
            });
            fleet.Start(Devices, server.GrpcAddress, keys);
            await Eventually.HoldsAsync("all devices stand before the step", () => standing.IsSet);
            await server.KillAsync();
            await server.DisposeAsync();
            server = await ServerProcess.StartAsync(Path.Combine(store.Path, "server"), arguments);
            restarted.SetResult();

            job = await RunningServer.EndAsync(server.Api, job.JobId);
            List<RoundRecord> records = await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct);
            Assert.True(job.State == JobState.Completed, $"{job.State}: {job.Reason} {server.Said}");
            Assert.All(records, record => Assert.Equal((Devices, ""), (record.Accepted, record.Reason)));
            Assert.All(invitations.Values, count => Assert.Equal(beginsAgain ? 2 : 1, count));
            Assert.Equal(await UndisturbedAsync(spec), records.Select(record => record.AdapterSha256));
        }
        finally
        {
            await server.KillAsync();
            await server.DisposeAsync();
        }
    }

    private static async Task<string[]> UndisturbedAsync(string spec)
    {
        using EnrolledFleet keys = new(KillableFleet.Names(Devices));
        await using RunningServer server = await RunningServer.StartAsync(devices: keys.Devices);
        await keys.KnowAsync(server.Api);
        JobStatus job = await server.Api.SubmitJobAsync(spec, Ct);
        await using KillableFleet fleet = new((_, _, _, _) => ValueTask.CompletedTask);
        fleet.Start(Devices, server.GrpcAddress, keys);
        job = await server.EndAsync(job.JobId);
        return [.. (await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Ct)).Select(record => record.AdapterSha256)];
    }
}
