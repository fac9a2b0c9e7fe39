using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Updates.Plain;

namespace Federated.Client.Session;

/// <summary>What every way of compressing an update does with the device's residual.</summary>
internal static class ResidualStoreExtensions
{
    /// <summary>A copy of the device's residual, to be changed by the round and written when the server has answered.</summary>
    /// <param name="residuals">Where it is.</param>
    /// <param name="plan">The round.</param>
    /// <param name="parameterCount">Parameters that are sent.</param>
    public static Residual ReadFor(this IResidualStore residuals, PlanDocument plan, int parameterCount)
    {
        Residual kept = residuals.Read(plan.JobId, parameterCount);

        // A residual of this round or a later one comes from a server that lost its state, or from another store: it has no place here.
        return kept.Round >= plan.Round ? new Residual(plan.JobId, parameterCount) : kept.Copy();
    }

    /// <summary>
    /// Brings the residual up to the server's answer: what was sent is taken off when it counts, and all of the update is kept for a later
    /// round when it came too late. After any other answer the residual stays as it was before the round.
    /// </summary>
    /// <param name="residuals">Where it is.</param>
    /// <param name="residual">The round's copy, without what was sent.</param>
    /// <param name="outcome">The server's answer.</param>
    /// <param name="restore">Puts back what was sent.</param>
    public static void Answer(this IResidualStore residuals, Residual residual, SubmitOutcome outcome, Action<Residual> restore)
    {
        switch (outcome)
        {
            case SubmitOutcome.Accepted or SubmitOutcome.Duplicate:
                break;
            case SubmitOutcome.Late or SubmitOutcome.RoundAbandoned:
                restore(residual);
                break;
            default:
                return;
        }

        // The round counts even when the device cannot keep it: the older residual stays, and what was sent of it is sent once more in time.
        _ = residuals.TryWrite(residual);
    }
}
