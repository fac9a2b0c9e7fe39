using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// Remembers the round for which a masked input has last left the device, so that it sends none twice, whichever plan or group the server
/// offers. Rounds of a job ascend, so the last one of each job says enough. Not thread-safe.
/// </summary>
internal sealed class MaskedRounds
{
    private readonly Dictionary<string, long> _lastOf = new(StringComparer.Ordinal);

    /// <summary>Whether the device may send a masked input for this plan.</summary>
    public bool Allows(PlanDocument plan) => !_lastOf.TryGetValue(plan.JobId, out long last) || plan.Round > last;

    /// <summary>A masked input is about to leave the device.</summary>
    public void Sent(PlanDocument plan) => _lastOf[plan.JobId] = plan.Round;
}
