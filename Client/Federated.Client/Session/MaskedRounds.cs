using System.Buffers.Binary;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.Client.Session;

/// <summary>
/// Remembers the round for which a masked input has last left the device, so that it sends none twice, whichever plan or group the server
/// offers: the difference of two sums with almost the same members tells what the rest held. Rounds of a job ascend, so the last one of each job
/// says enough. In a folder it outlives the process. Not thread-safe.
/// </summary>
/// <param name="folder">Where it is kept, a file a job; null for memory alone, for devices that are simulated or keep no state.</param>
public sealed class MaskedRounds(string? folder = null)
{
    private const string Extension = ".masked";

    private readonly JobFiles? _files = folder is null ? null : new JobFiles(folder, Extension);
    private readonly Dictionary<string, long> _lastOf = new(StringComparer.Ordinal);

    /// <summary>Whether the device may send a masked input for this plan. A file that cannot be understood allows none: it was once written.</summary>
    public bool Allows(PlanDocument plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Round > Last(plan.JobId);
    }

    /// <summary>The last round of a job for which a masked input has left the device; 0 when none has, or it is not known which.</summary>
    public long Reached(string jobId) => Last(jobId) is var last and < long.MaxValue ? last : 0;

    /// <summary>A masked input is about to leave the device; returns when that is on the disk.</summary>
    /// <exception cref="RoundAbortException">It cannot be kept, so nothing may leave.</exception>
    public void Sent(PlanDocument plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        byte[] round = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(round, plan.Round);
        if (_files?.TryWrite(plan.JobId, round) == false)
        {
            throw new RoundAbortException(
                AbortReason.Policy, $"That a masked input leaves this device for round {plan.Round} cannot be written to {folder}. Make room there.");
        }

        _lastOf[plan.JobId] = plan.Round;
    }

    /// <summary>Whether a masked input for any round of this job has left the device.</summary>
    public bool Knows(string jobId) => _lastOf.ContainsKey(jobId) || Kept(jobId) > 0;

    /// <summary>Why the device may not send a masked input for this plan, with the way out.</summary>
    public string Refusal(PlanDocument plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        string restored = Reached(plan.JobId) is var last && last > plan.Round
            ? $" The last one was for round {last}. A server whose store was restored from a backup goes on behind it by itself."
            : "";
        return $"A masked input for round {plan.Round} or a later one has left this device before.{restored}{WayOut(plan.JobId)}";
    }

    /// <summary>What a person can do who knows that the job is another one than was remembered; begins with a space, or is empty.</summary>
    public string WayOut(string jobId) => folder is null
        ? ""
        : $" If the server was set up anew and its '{jobId}' is another job, delete '{Path.Combine(folder, jobId + Extension)}' on the device.";

    private long Last(string jobId) => Math.Max(_lastOf.GetValueOrDefault(jobId), Kept(jobId));

    private long Kept(string jobId) => _files?.Read(jobId) switch
    {
        null => _files?.Has(jobId) == true ? long.MaxValue : 0,
        { Length: sizeof(long) } bytes => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        _ => long.MaxValue,
    };
}
