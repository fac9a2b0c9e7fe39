using Federated.Server.Rounds;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Federated.Simulator.Runs;

/// <summary>
/// Learns from the log of a server in this process that its store does not take what it writes. A server tries again for as long as it runs, because somebody may
/// make room; a simulation, which nobody may be watching, ends. Thread-safe.
/// </summary>
/// <param name="folder">The store's.</param>
/// <param name="time">The clock.</param>
internal sealed class StoreWatch(string folder, TimeProvider time) : ILoggerProvider, ILogger
{
    /// <summary>How long a store may fail.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>The file by which a store is tried; with a ~ in its name it is none of a blob.</summary>
    internal const string ProbeName = "~probe";

    private const string Category = "Federated.Server";
    private const int ChunkBytes = 1 << 20;

    // What a round writes, in adapters of float32: its sum in 64 bits, the new adapter, and a checkpoint with two moments and a residual.
    private const int AdaptersPerRound = 6;

    private Failure? _failure;
    private DateTimeOffset _nextProbe;

    /// <summary>Why the store did not take a write; null when none has failed since the last commit.</summary>
    public string? Reason => Volatile.Read(ref _failure)?.Reason;

    /// <summary>A round has ended. A commit after a failure means that the store has taken what it had not; why it fails then is logged anew.</summary>
    public void RoundEnded(RoundRecord round)
    {
        DateTimeOffset ended = round.Timing.StartedAt + TimeSpan.FromSeconds(round.Timing.TotalSeconds);
        if (round.Outcome == RoundOutcome.Committed && Volatile.Read(ref _failure) is { } failure && failure.Since <= ended)
        {
            Interlocked.CompareExchange(ref _failure, null, failure);
        }
    }

    /// <summary>Returns while the store can be written, or may be soon. It is tried once a minute at most, as that takes room from the server too. One caller at a time.</summary>
    /// <param name="adapterBytes">A version of the job's adapter as it is stored.</param>
    /// <exception cref="IOException">Since a write failed a minute ago no round was committed, and the store does not take what a round writes.</exception>
    public async Task DemandWritableAsync(long adapterBytes)
    {
        if (Volatile.Read(ref _failure) is not { } failure || time.GetUtcNow() - failure.Since < Patience || time.GetUtcNow() < _nextProbe)
        {
            return;
        }

        try
        {
            string path = Path.Combine(folder, ProbeName);
            await using FileStream probe = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            byte[] chunk = new byte[ChunkBytes];
            for (long left = Math.Max(1, AdaptersPerRound * adapterBytes); left > 0; left -= ChunkBytes)
            {
                await probe.WriteAsync(chunk.AsMemory(0, (int)Math.Min(left, ChunkBytes)));
            }

            _nextProbe = time.GetUtcNow() + Patience;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"For {Patience.TotalSeconds:0} seconds the server could not write its store. {failure.Reason}", e);
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => categoryName.StartsWith(Category, StringComparison.Ordinal) ? this : NullLogger.Instance;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        for (Exception? e = IsEnabled(logLevel) ? exception : null; e is not null; e = e.InnerException)
        {
            if (e is IOException or UnauthorizedAccessException)
            {
                Interlocked.CompareExchange(ref _failure, new Failure(e.Message, time.GetUtcNow()), null);
                return;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed record Failure(string Reason, DateTimeOffset Since);
}
