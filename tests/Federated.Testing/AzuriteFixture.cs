using System.Diagnostics;
using System.Text;
using Xunit;

namespace Federated.Testing;

/// <summary>
/// A running Azurite blob service, in memory, on a free port of the loopback interface; shared by the tests of a class or collection. It
/// ends with the fixture, and also when the test process dies, since it watches its standard input.
/// </summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    // Published account of the emulator: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
    private const string Account = "devstoreaccount1";
    private const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const string ReadyLine = "successfully listens on ";

    private static readonly TimeSpan _startDeadline = TimeSpan.FromMinutes(3);

    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _process;
    private int _containers;

    /// <summary>Where the service listens, <c>http://127.0.0.1:port</c>.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Connects to the service.</summary>
    public string ConnectionString { get; private set; } = null!;

    /// <summary>A container name that no other test of this fixture has.</summary>
    public string NextContainer() => $"test-{Interlocked.Increment(ref _containers)}";

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Azurite is not installed, or does not start; the message says what to do.</exception>
    public async ValueTask InitializeAsync()
    {
        string tools = Path.Combine(RepositoryRoot.Find(), "tests", "tools");
        if (!Directory.Exists(Path.Combine(tools, "node_modules", "azurite")))
        {
            throw new InvalidOperationException($"Azurite is not installed in '{tools}'. Run tests/setup.sh once, then the tests again.");
        }

        ProcessStartInfo start = new("node")
        {
            WorkingDirectory = tools,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in new[] { "azurite-blob.cjs", "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry" })
        {
            start.ArgumentList.Add(argument);
        }

        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException("it ended"));
        try
        {
            _process.Start();
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
            Address = await _address.Task.WaitAsync(_startDeadline).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw new InvalidOperationException($"Azurite did not start ({e.Message}). Is node installed? Run tests/setup.sh. It said: {Output()}", e);
        }

        ConnectionString = $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={AccountKey};BlobEndpoint={Address}{Account};";
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not Process process)
        {
            return;
        }

        _process = null;
        try
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync().ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // It never started, or has ended.
        }

        process.Dispose();
    }

    private void Note(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
        }

        int ready = line.IndexOf(ReadyLine, StringComparison.Ordinal);
        if (ready >= 0)
        {
            _address.TrySetResult(new Uri(line[(ready + ReadyLine.Length)..].Trim()));
        }
    }

    private string Output()
    {
        lock (_output)
        {
            return _output.ToString();
        }
    }
}
