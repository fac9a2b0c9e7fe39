namespace Federated.Server.Collection;

/// <summary>
/// Rations memory among uploads: those that fit below the soft limit are let in at once, others wait in order of arrival; one that has
/// waited for the patience is let in up to the hard limit. Something is always let in when nothing is. Thread-safe.
/// </summary>
/// <param name="softBytes">What is granted at once.</param>
/// <param name="hardBytes">What is never exceeded, unless by a single upload that is larger.</param>
/// <param name="patience">How long an upload waits below the soft limit.</param>
/// <param name="time">The clock of the patience.</param>
internal sealed class ByteBudget(long softBytes, long hardBytes, TimeSpan patience, TimeProvider time)
{
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly Lock _lock = new();
    private long _used;

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

        try
        {
            await node.Value.Turn.Task.WaitAsync(patience, time, ct);
        }
        catch (TimeoutException)
        {
            lock (_lock)
            {
                node.Value.Impatient = true;
                Admit();
            }

            await WaitOnAsync(node, ct);
        }
        catch (OperationCanceledException)
        {
            GiveUp(node);
            throw;
        }
    }

    /// <summary>Gives granted bytes back.</summary>
    public void Release(long bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            Admit();
        }
    }

    private async Task WaitOnAsync(LinkedListNode<Waiter> node, CancellationToken ct)
    {
        try
        {
            await node.Value.Turn.Task.WaitAsync(ct);
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
