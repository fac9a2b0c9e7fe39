using Federated.Shared.Protos;

namespace Federated.Client.Policies;

/// <summary>Why a device must not train now.</summary>
/// <param name="Reason">Which demand is not met.</param>
/// <param name="Detail">What was found and what is demanded; one line for people.</param>
internal sealed record PolicyRefusal(PolicyReason Reason, string Detail)
{
    /// <summary>Whether waiting within a round is of no use.</summary>
    public bool EndsRound => Reason is PolicyReason.QuietHours or PolicyReason.DailySeconds or PolicyReason.DailyEnergy;
}
