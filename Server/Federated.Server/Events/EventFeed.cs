using System.Runtime.CompilerServices;

namespace Federated.Server.Events;

/// <summary>
/// The events of this server process, for any number of readers: the last <see cref="KeptEvents"/> are kept once, and every reader has a place in them.
/// A reader that is overtaken gets <see cref="EventsMissed"/> and goes on with the oldest that is left; nobody who publishes ever waits. Thread-safe.
/// </summary>
internal sealed class EventFeed
{
    /// <summary>Events kept: more than 15 minutes of a job with a round a second.</summary>
    public const int KeptEvents = 4096;

    private const int BatchEvents = 64;

    private readonly Lock _gate = new();
    private readonly ServerEvent?[] _kept = new ServerEvent?[KeptEvents];
    private readonly TimeProvider _time;
    private readonly bool _enabled;
    private readonly long _first;
    private long _next;
    private int _readers;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>An empty feed. Its numbers begin with the time, so that they rise over restarts and stay below 2^53.</summary>
    public EventFeed(TimeProvider time, bool enabled = true)
    {
        _enabled = enabled;
        _time = time;
        _first = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        _next = _first;
    }

    /// <summary>Number of the last event; one less than the first number when there was none.</summary>
    public long LastEventId => Interlocked.Read(ref _next) - 1;

    /// <summary>Whether anybody reads: what is costly to find out need not be found out otherwise.</summary>
    public bool HasReaders => Volatile.Read(ref _readers) > 0;

    /// <summary>Numbers the event and hands it to every reader.</summary>
    public void Publish(ServerEvent happened)
    {
        if (!_enabled)
        {
            return;
        }

        TaskCompletionSource news;
        lock (_gate)
        {
            _kept[_next % KeptEvents] = happened with { EventId = _next, At = _time.GetUtcNow() };
            _next++;
            news = _news;
            _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        news.SetResult();
    }

    /// <summary>Reads until <paramref name="ct"/> ends it.</summary>
    /// <param name="after">Number of the last event that the reader has; null for what happens from now on.</param>
    /// <param name="ct">Ends the reading with an <see cref="OperationCanceledException"/>.</param>
    public IAsyncEnumerable<ServerEvent> ReadAsync(long? after, CancellationToken ct)
    {
        // Taken here and not with the first element, so that nothing is lost between subscribing and reading.
        long cursor = after is { } last ? (last < long.MaxValue ? last + 1 : 0) : Interlocked.Read(ref _next);
        return ReadFromAsync(cursor, ct);
    }

    private async IAsyncEnumerable<ServerEvent> ReadFromAsync(long cursor, [EnumeratorCancellation] CancellationToken ct)
    {
        Interlocked.Increment(ref _readers);
        try
        {
            List<ServerEvent> batch = new(BatchEvents);
            while (true)
            {
                Task news;
                lock (_gate)
                {
                    news = _news.Task;
                    cursor = Take(cursor, batch);
                }

                if (batch.Count == 0)
                {
                    await news.WaitAsync(ct);
                    continue;
                }

                foreach (ServerEvent happened in batch)
                {
                    ct.ThrowIfCancellationRequested();
                    yield return happened;
                }

                batch.Clear();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _readers);
        }
    }

    private long Take(long cursor, List<ServerEvent> batch)
    {
        // A number from the future is of a server whose clock was ahead: as little is known of what came after it.
        long oldest = Math.Max(_first, _next - KeptEvents);
        if (cursor < oldest || cursor > _next)
        {
            batch.Add(new EventsMissed(cursor - 1, oldest) { EventId = oldest - 1, At = _time.GetUtcNow() });
            cursor = oldest;
        }

        while (cursor < _next && batch.Count < BatchEvents)
        {
            batch.Add(_kept[cursor % KeptEvents]!);
            cursor++;
        }

        return cursor;
    }
}
