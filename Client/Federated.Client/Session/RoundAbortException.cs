using Federated.Shared.Protos;

namespace Federated.Client.Session;

/// <summary>The round is given up for a reason that is known.</summary>
internal sealed class RoundAbortException(AbortReason reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Which kind of reason the server is told.</summary>
    public AbortReason Reason { get; } = reason;

    /// <summary>What the server is told in words, where the message is for the device's own log alone; the message itself by default.</summary>
    public string Told { get; init; } = message;

    /// <summary>With <see cref="AbortReason.Policy"/>: which demand of the device's own policy.</summary>
    public PolicyReason Policy { get; init; }

    /// <summary>The last round of the job for which a masked input has left the device, where that is why; else 0.</summary>
    public long ReachedRound { get; init; }

    /// <summary>Something failed that may quote what the device trains on: its words stay here.</summary>
    /// <param name="cause">What failed.</param>
    public static RoundAbortException OfTraining(Exception cause) => new(AbortReason.TrainingFailed, $"{cause.GetType().Name}: {cause.Message}", cause)
    {
        Told = $"{cause.GetType().Name}; the device's log says more.",
    };
}
