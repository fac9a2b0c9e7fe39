using Federated.Client.Session;
using Federated.Shared.Protocol;

namespace Federated.Client.Operations;

/// <summary>
/// Ends the agent when its program's file was replaced, so that whoever started it starts the newer one; never within a round. It looks by a timer, as a device may wait an hour for its
/// next check-in.
/// </summary>
internal sealed class NewerProgram : ISessionObserver, IDisposable
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(2);

    private readonly string _path;
    private readonly Action _end;
    private readonly DateTime _then;
    private readonly ITimer _timer;
    private int _inRound;

    /// <summary>Looks from now on.</summary>
    /// <param name="path">The program's file.</param>
    /// <param name="end">Ends the agent.</param>
    /// <param name="time">The clock of the timer.</param>
    public NewerProgram(string path, Action end, TimeProvider time)
    {
        _path = path;
        _end = end;
        _then = File.GetLastWriteTimeUtc(path);
        _timer = time.CreateTimer(_ => Look(), null, _period, _period);
    }

    /// <inheritdoc/>
    public ValueTask AssignedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct)
    {
        Volatile.Write(ref _inRound, 1);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask TrainedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask EndedAsync(ClientIdentity who, SessionReport report, CancellationToken ct)
    {
        Volatile.Write(ref _inRound, 0);
        return ValueTask.CompletedTask;
    }

    /// <summary>Looks no more.</summary>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // A file that is gone for a moment is not a newer one.
        if (Volatile.Read(ref _inRound) == 0 && File.Exists(_path) && File.GetLastWriteTimeUtc(_path) != _then)
        {
            _timer.Dispose();
            _end();
        }
    }
}
