namespace Federated.Server.Hosting;

/// <summary>
/// The start of a server, which may be broken off. What the parts of a server say of that are errors with stack traces; nobody needs them, as whoever called is told. Thread-safe.
/// </summary>
/// <param name="stop">The caller's wish to break it off.</param>
internal sealed class StartPhase(CancellationToken stop)
{
    private volatile IHostApplicationLifetime? _lifetime;
    private volatile bool _isOver;

    /// <summary>Whether it was broken off, by the caller or by a signal to the process.</summary>
    public bool IsBrokenOff => !_isOver && (stop.IsCancellationRequested || _lifetime?.ApplicationStopping.IsCancellationRequested == true);

    /// <summary>Knows the host from now on, which takes signals too.</summary>
    public void Begin(IHostApplicationLifetime lifetime) => _lifetime = lifetime;

    /// <summary>The server is up.</summary>
    public void End() => _isOver = true;
}
