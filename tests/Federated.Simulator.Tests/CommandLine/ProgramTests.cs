using System.Diagnostics;
using System.Runtime.InteropServices;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Tests.Runs;
using Federated.Testing;

namespace Federated.Simulator.Tests.CommandLine;

/// <summary>The program in a process of its own.</summary>
public sealed class ProgramTests
{
    private const int TerminateSignal = 15;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(10);

    [Fact]
    public async Task Run_StoppedWhileItsServerStarts_SaysThatNothingHasBegun()
    {
        using TemporaryFolder folder = new();
        SmallDigits.Write(folder.Path);
        string scenario = Path.Combine(folder.Path, "toy.json");
        await File.WriteAllTextAsync(scenario, SmallDigits.Text, TestContext.Current.CancellationToken);
        string output = Path.Combine(folder.Path, "run");
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(_patience);
        ProcessStartInfo start = new("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Federated.Simulator.dll"), "run", "--scenario", scenario, "--out", output])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(patience.Token);
        _ = process.StandardOutput.ReadToEndAsync(patience.Token);

        // The store is the first thing that a server opens, a second or so before it is there.
        while (!Directory.Exists(Path.Combine(output, "server")))
        {
            await Task.Delay(_step, patience.Token);
        }

        Assert.Equal(0, Kill(process.Id, TerminateSignal));
        await process.WaitForExitAsync(patience.Token);

        Assert.Equal(ExitCodes.Interrupted, process.ExitCode);
        Assert.EndsWith("The run was stopped before its job began; there is nothing to go on with. Start it again.", (await errors).TrimEnd(), StringComparison.Ordinal);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
