using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;
using Federated.Training;

namespace Federated.Client.Session;

/// <summary>
/// A round's update on the private path: fields of the ring, with what the device tells of itself among them; and what it means for the device's residual, where
/// the round's index set has clients keep one, which changes only when the server has answered. Used once.
/// </summary>
internal sealed class LinearUpdate
{
    private readonly LinearEncoder _encoder;
    private readonly LinearRound _round;
    private readonly Residual? _residual;

    private LinearUpdate(LinearRound round, LinearEncoder encoder, Residual? residual)
    {
        _round = round;
        _encoder = encoder;
        _residual = residual;
    }

    /// <summary>The fields, to be masked or packed: [<see cref="LinearRound.FieldCount"/>].</summary>
    public ReadOnlySpan<uint> Fields => _encoder.Fields;

    /// <summary>Encodes a delta.</summary>
    /// <param name="plan">A plan with a linear round.</param>
    /// <param name="told">The round's index set as the server told it; null when it is random.</param>
    /// <param name="deviceId">Seeds the rounding, together with the plan's seed and round.</param>
    /// <param name="delta">What is sent of the delta: [<see cref="PlanDocument.SentCount"/>], finite.</param>
    /// <param name="training">What training gave.</param>
    /// <param name="residuals">Where the device's residual is.</param>
    public static LinearUpdate Encode(
        PlanDocument plan, SharedIndexSet? told, string deviceId, ReadOnlySpan<float> delta, LocalTrainingResult training, IResidualStore residuals)
    {
        LinearRound round = plan.Linear ?? throw new ArgumentException("The plan has no linear round.", nameof(plan));
        SharedIndexSet set = told ?? SharedIndexSet.Random(round.Seed, round.ParameterCount, round.SetSize);
        LinearEncoder encoder = new(round, set);
        LaneGenerator dither = LaneGenerator.For(plan.Seed, "dither", (ulong)plan.Round, deviceId);
        Residual? residual = set.KeepsResidual ? residuals.ReadFor(plan, delta.Length) : null;
        if (residual is null)
        {
            encoder.Encode(delta, training.Examples, training.MeanLoss, dither);
        }
        else
        {
            encoder.Encode(residual, delta, plan.Round, training.Examples, training.MeanLoss, dither);
        }

        if (round.Noise is not null)
        {
            // Never from the plan's seed: whoever knows the noise takes it off again.
            using KeyedGenerator secret = KeyedGenerator.Create();
            encoder.AddNoise(secret);
        }

        return new LinearUpdate(round, encoder, residual);
    }

    /// <summary>Brings the residual up to the server's answer, as <see cref="ResidualStoreExtensions.Answer"/> has it.</summary>
    public void Answered(SubmitOutcome outcome, IResidualStore residuals)
    {
        if (_residual is not null)
        {
            residuals.Answer(_residual, outcome, _encoder.Restore);
        }
    }

    /// <summary>The packed fields.</summary>
    public byte[] Pack()
    {
        byte[] packed = new byte[_round.PackedBytes];
        _encoder.Pack(packed);
        return packed;
    }
}
