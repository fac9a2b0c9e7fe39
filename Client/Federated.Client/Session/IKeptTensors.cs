namespace Federated.Client.Session;

/// <summary>
/// Where a device keeps the tensors of a job that it trains for itself and never sends. One device's, used by one round at a time.
/// </summary>
public interface IKeptTensors
{
    /// <summary>Reads what the last counted round left behind.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="kept">The packed tensors, overwritten when there is something of just this length.</param>
    /// <returns>Whether there was. A first round, or another model, finds nothing and begins with the job's adapter.</returns>
    bool TryRead(string jobId, Span<float> kept);

    /// <summary>Keeps the tensors in place of earlier ones. False when they cannot be kept; the earlier ones stay then.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="round">The round they come from.</param>
    /// <param name="kept">The packed tensors.</param>
    bool TryWrite(string jobId, long round, ReadOnlySpan<float> kept);
}
