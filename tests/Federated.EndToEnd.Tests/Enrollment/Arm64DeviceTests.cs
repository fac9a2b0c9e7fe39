using System.Buffers.Binary;
using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>The program for Raspberry Pi and Jetson, emulated, among programs for x64: one aggregation group of enrolled devices.</summary>
public sealed class Arm64DeviceTests(SecureServer server) : IClassFixture<SecureServer>
{
    private const int Devices = 4;
    private const int Rounds = 2;
    private const int ExamplesPerDevice = 60;
    private const ushort MachineOfArm64 = 183;
    private const int ReportSeconds = 600;
    private const int Enrollments = 5;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rounds_WithX64DevicesInOneGroup_CommitWithEveryone()
    {
        byte[] header = new byte[20];
        await using (FileStream program = File.OpenRead(NativeClient.FileOf("linux-arm64")))
        {
            await program.ReadExactlyAsync(header, Cancelled);
        }

        Assert.Equal(MachineOfArm64, BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(18)));
        string[] names = ["arm64", .. Enumerable.Range(1, Devices - 1).Select(i => $"x64-{i}")];
        await Task.WhenAll(names.Select(EnrollAsync));

        // Everyone is needed, and an emulated processor is slow: no deadline may come before it.
        const string secure = """{ "secure": { "minMembers": 4, "stepSeconds": 120 } }""";
        JobStatus job = await server.Api.SubmitJobAsync(SecureJob.Spec(Devices, secure, Rounds, quorum: 1, reportSeconds: ReportSeconds), Cancelled);

        ProgramRun[] runs = [.. names.Select((name, i) => Start(
            name,
            "run", "--state", server.StateOf(name), "--rounds", $"{Rounds}", "--json",
            "--data", $"idx:images={Mnist.TestImages},labels={Mnist.TestLabels},slice={i * ExamplesPerDevice}:{ExamplesPerDevice}"))];
        try
        {
            JobStatus end = await RunningServer.EndAsync(server.Api, job.JobId, TimeSpan.FromSeconds(ReportSeconds));

            Assert.True(end.State == JobState.Completed, $"{end.State}: {end.Reason} {string.Join(Environment.NewLine, runs.Select(run => run.Said))}");
            List<RoundRecord> records = await server.Api.RoundsAsync(job.JobId, 0, TimeSpan.Zero, Cancelled);
            Assert.Equal(Rounds, records.Count);
            Assert.All(records, record => Assert.Equal(names.Order(StringComparer.Ordinal), record.Contributors));
            Assert.All(records, record => Assert.Equal(1, record.Groups!.Count));
            int[] codes = await Task.WhenAll(runs.Select(run => run.EndAsync()));
            Assert.Equal(new int[Devices], codes);
        }
        finally
        {
            foreach (ProgramRun run in runs)
            {
                await run.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Version_OfTheArm64Program_NamesItsProcessor()
    {
        await using ProgramRun run = NativeClient.StartArm64("--version");

        Assert.Equal(0, await run.EndAsync());
        Assert.Contains("arm64", run.Said, StringComparison.OrdinalIgnoreCase);
    }

    private static ProgramRun Start(string device, params IEnumerable<string> arguments) =>
        device == "arm64" ? NativeClient.StartArm64(arguments) : NativeClient.StartX64(arguments);

    // An enrollment whose answer came too late for a slow device may be repeated with its token.
    private async Task EnrollAsync(string device)
    {
        string token = await server.TokenAsync(device, "killable");
        for (int i = 1; ; i++)
        {
            await using ProgramRun run = Start(device, "enroll", "--server", server.Address.ToString(), "--state", server.StateOf(device), "--token", token);
            if (await run.EndAsync() == 0)
            {
                return;
            }

            Assert.True(i < Enrollments, run.Said);
        }
    }
}
