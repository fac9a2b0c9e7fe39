namespace Federated.Client.Transport;

/// <summary>Holds transfers below a rate: whoever has moved bytes waits until they are paid for before it moves more. Thread-safe.</summary>
/// <param name="bytesPerSecond">The rate; 0 for none.</param>
/// <param name="time">Measures and waits.</param>
internal sealed class TransferRate(long bytesPerSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _paidUntil;

    /// <summary>Pays for bytes; returns when the link is free again.</summary>
    public ValueTask TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond == 0)
        {
            return ValueTask.CompletedTask;
        }

        TimeSpan wait;
        lock (_lock)
        {
            TimeSpan now = time.GetElapsedTime(_began);
            _paidUntil = (_paidUntil > now ? _paidUntil : now) + TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
            wait = _paidUntil - now;
        }

        return new ValueTask(Task.Delay(wait, time, cancellationToken));
    }
}
