namespace Federated.Client.Session;

/// <summary>
/// Where a device keeps the adapter of its last round in a job that offers changes of it, so that the next download is short. One caller at a time.
/// </summary>
public interface IHeldAdapters
{
    /// <summary>The job's adapter; null when there is none of so many parameters that can be read.</summary>
    HeldAdapter? Read(string jobId, int parameterCount);

    /// <summary>Replaces the job's adapter. False when it cannot be kept; the earlier one stays then.</summary>
    bool TryWrite(string jobId, HeldAdapter adapter);
}
