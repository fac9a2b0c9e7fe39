namespace Federated.Server.Collection;

/// <summary>
/// Rations memory among uploads: those that fit below the soft limit are let in at once, others wait in order of arrival. When nothing
/// was given back for as long as the patience, those that have waited that long are let in up to the hard limit: the uploads inside are
/// slow then, and not merely many. Something is always let in when nothing is. Thread-safe.
/// </summary>
/// <param name="softBytes">What is granted at once.</param>
/// <param name="hardBytes">What is never exceeded, unless by a single upload that is larger.</param>
/// <param name="patience">How long an upload waits below the soft limit while nothing is given back.</param>
/// <param name="time">The clock of the patience.</param>
internal sealed class ByteBudget(long softBytes, long hardBytes, TimeSpan patience, TimeProvider time)
{
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly Lock _lock = new();
    private long _used;
    private long _lastRelease = time.GetTimestamp();

    /// <summary>Waits until <paramref name="bytes"/> are granted.</summary>
    public async Task AcquireAsync(long bytes, CancellationToken ct)
    {
        LinkedListNode<Waiter> node;
        lock (_lock)
        {
            if (_waiters.Count == 0 && HasRoom(bytes, softBytes))
            {
                _used += bytes;
                return;
            }

            node = _waiters.AddLast(new Waiter(bytes));
        }

        long since = time.GetTimestamp();
        for (TimeSpan wait = patience; wait > TimeSpan.Zero; wait = PatienceLeft(node.Value, since))
        {
            try
            {
                await WaitOnAsync(node, wait, ct);
                return;
            }
            catch (TimeoutException)
            {
            }
        }

        await WaitOnAsync(node, Timeout.InfiniteTimeSpan, ct);
    }

    /// <summary>Gives granted bytes back.</summary>
    public void Release(long bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            _lastRelease = time.GetTimestamp();
            Admit();
        }
    }

    /// <summary>How much longer to wait; when nothing is left the waiter is impatient from now on.</summary>
    private TimeSpan PatienceLeft(Waiter waiter, long since)
    {
        lock (_lock)
        {
            TimeSpan left = patience - time.GetElapsedTime(Math.Max(since, _lastRelease));
            if (left <= TimeSpan.Zero)
            {
                waiter.Impatient = true;
                Admit();
            }

            return left;
        }
    }

    private async Task WaitOnAsync(LinkedListNode<Waiter> node, TimeSpan wait, CancellationToken ct)
    {
        try
        {
            await node.Value.Turn.Task.WaitAsync(wait, time, ct);
        }
        catch (OperationCanceledException)
        {
            GiveUp(node);
            throw;
        }
    }

    private void GiveUp(LinkedListNode<Waiter> node)
    {
        lock (_lock)
        {
            if (node.List is null)
            {
                _used -= node.Value.Bytes;
            }
            else
            {
                _waiters.Remove(node);
            }

            Admit();
        }
    }

    private void Admit()
    {
        for (LinkedListNode<Waiter>? node = _waiters.First; node is not null;)
        {
            LinkedListNode<Waiter>? next = node.Next;
            if (HasRoom(node.Value.Bytes, node.Value.Impatient ? hardBytes : softBytes))
            {
                _used += node.Value.Bytes;
                _waiters.Remove(node);
                node.Value.Turn.SetResult();
            }
            else if (!node.Value.Impatient)
            {
                // Order of arrival: whoever came later is not let past one that still waits its turn.
                return;
            }

            node = next;
        }
    }

    private bool HasRoom(long bytes, long limit) => _used == 0 || _used + bytes <= limit;

    private sealed class Waiter(long bytes)
    {
        public long Bytes { get; } = bytes;

        public bool Impatient { get; set; }

        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
