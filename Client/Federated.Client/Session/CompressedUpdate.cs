using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Plain;

namespace Federated.Client.Session;

/// <summary>
/// A round's update under a codec, and what it means for the device's residual, which changes only when the server has answered. Used once.
/// </summary>
internal sealed class CompressedUpdate
{
    private readonly PlainEncoder _encoder;
    private readonly Residual? _residual;

    private CompressedUpdate(PlainEncoder encoder, Residual? residual, byte[] body)
    {
        _encoder = encoder;
        _residual = residual;
        Body = body;
    }

    /// <summary>The encoded vector.</summary>
    public byte[] Body { get; }

    /// <summary>Encodes a delta.</summary>
    /// <param name="plan">A plan with a codec.</param>
    /// <param name="deviceId">Seeds the rounding, together with the plan's seed and round.</param>
    /// <param name="delta">What is sent of the delta: [<see cref="PlanDocument.SentCount"/>], finite.</param>
    /// <param name="residuals">Where the device's residual is.</param>
    /// <exception cref="RoundAbortException">The delta cannot be encoded.</exception>
    public static CompressedUpdate Encode(PlanDocument plan, string deviceId, ReadOnlySpan<float> delta, IResidualStore residuals)
    {
        PlainCodec codec = plan.Codec ?? throw new ArgumentException("The plan has no codec.", nameof(plan));
        PlainEncoder encoder = new(codec, delta.Length);
        Residual? residual = codec.KeepsResidual ? residuals.ReadFor(plan, delta.Length) : null;
        try
        {
            LaneGenerator? dither = codec.KeepsResidual ? null : LaneGenerator.For(plan.Seed, "dither", (ulong)plan.Round, deviceId);
            return new CompressedUpdate(encoder, residual, encoder.Encode(delta, plan.Round, residual, dither).ToBytes());
        }
        catch (ArgumentException e)
        {
            throw new RoundAbortException(AbortReason.TrainingFailed, $"The update cannot be encoded: {e.Message}", e);
        }
    }

    /// <summary>Brings the residual up to the server's answer, as <see cref="ResidualStoreExtensions.Answer"/> has it.</summary>
    public void Answered(SubmitOutcome outcome, IResidualStore residuals)
    {
        if (_residual is not null)
        {
            residuals.Answer(_residual, outcome, _encoder.Restore);
        }
    }
}
