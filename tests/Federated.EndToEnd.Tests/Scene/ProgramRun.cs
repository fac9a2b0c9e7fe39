using System.Collections.Concurrent;
using System.Diagnostics;
using Federated.Testing;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A program of this solution in a process of its own. It is killed with its owner, whatever happened.</summary>
internal sealed class ProgramRun : IAsyncDisposable
{
    private const int TerminateSignal = 15;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly string _name;

    private ProgramRun(string name, Process process)
    {
        _name = name;
        _process = process;
        _process.OutputDataReceived += (_, line) => Note(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Note(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Lines of standard output so far.</summary>
    public IReadOnlyCollection<string> Output => _output;

    /// <summary>Lines of standard error so far.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Whether it runs no more.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Everything it said, for messages.</summary>
    public string Said => $"{_name} said: {string.Join(Environment.NewLine, _output.Concat(_errors))}";

    /// <summary>
    /// Starts <c>Federated.Server</c> or <c>Federated.Client</c> from its own build output: what lies beside the tests shares their
    /// dependencies, and would hide one that the program lacks.
    /// </summary>
    public static ProgramRun Start(string program, params string[] arguments) =>
        StartFile("dotnet", ["exec", Path.Combine(OutputOf(program), $"{program}.dll"), .. arguments]);

    /// <summary>Starts an executable file.</summary>
    public static ProgramRun StartFile(string file, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        return new ProgramRun(Path.GetFileName(file), Process.Start(start) ?? throw new InvalidOperationException($"{file} cannot be started."));
    }

    /// <summary>Runs a program to its end and gives its exit code and standard output.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        await using ProgramRun run = Start(program, arguments);
        return (await run.EndAsync(), string.Join(Environment.NewLine, run.Output));
    }

    /// <summary>Its exit code, once it has ended by itself: within <see cref="Eventually.Deadline"/>, unless its work is longer.</summary>
    public async Task<int> EndAsync(TimeSpan? deadline = null)
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(deadline ?? Eventually.Deadline);
        return _process.ExitCode;
    }

    /// <summary>The first line of standard output.</summary>
    public Task<string> FirstLineAsync() => Eventually.GetAsync($"{_name} prints a line", () =>
    {
        Assert.False(_process.HasExited && _output.IsEmpty, $"{_name} ended. {Said}");
        return Task.FromResult(_output.TryPeek(out string? line) ? line : null);
    });

    /// <summary>The first line that holds a text, of what it says.</summary>
    public Task<string> LineAsync(string text) => Eventually.GetAsync($"{_name} says '{text}'", () =>
    {
        string? line = _output.Concat(_errors).FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal));
        Assert.False(line is null && _process.HasExited, $"{_name} ended. {Said}");
        return Task.FromResult(line);
    });

    /// <summary>SIGTERM: it may finish what it has to.</summary>
    public void Terminate() => Assert.Equal(0, Kill(_process.Id, TerminateSignal));

    /// <summary>SIGKILL: it gets no chance to finish anything.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    // bin/CONFIGURATION/FRAMEWORK, the same for the tests and for what they run.
    private static string OutputOf(string program)
    {
        DirectoryInfo framework = new(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Path.Combine(
            RepositoryRoot.Find(), program[(program.IndexOf('.', StringComparison.Ordinal) + 1)..], program, "bin", framework.Parent!.Name, framework.Name);
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private static void Note(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
        }
    }
}
