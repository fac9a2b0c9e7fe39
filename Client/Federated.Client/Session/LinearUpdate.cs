using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Training;

namespace Federated.Client.Session;

/// <summary>A round's update on the private path: fields of the ring, with what the device tells of itself among them. Immutable.</summary>
internal sealed class LinearUpdate
{
    private readonly LinearEncoder _encoder;
    private readonly LinearRound _round;

    private LinearUpdate(LinearRound round, LinearEncoder encoder)
    {
        _round = round;
        _encoder = encoder;
    }

    /// <summary>The fields, to be masked or packed: [<see cref="LinearRound.FieldCount"/>].</summary>
    public ReadOnlySpan<uint> Fields => _encoder.Fields;

    /// <summary>Encodes a delta.</summary>
    /// <param name="plan">A plan with a linear round.</param>
    /// <param name="deviceId">Seeds the rounding, together with the plan's seed and round.</param>
    /// <param name="delta">What is sent of the delta: [<see cref="PlanDocument.SentCount"/>], finite.</param>
    /// <param name="training">What training gave.</param>
    /// <exception cref="RoundAbortException">This software cannot follow the round.</exception>
    public static LinearUpdate Encode(PlanDocument plan, string deviceId, ReadOnlySpan<float> delta, LocalTrainingResult training)
    {
        LinearRound round = plan.Linear ?? throw new ArgumentException("The plan has no linear round.", nameof(plan));
        if (round.IndexSet != IndexSetKind.Random)
        {
            throw new RoundAbortException(AbortReason.UnsupportedPlan, $"The plan asks for a {round.IndexSet} index set; this client draws random ones alone.");
        }

        LinearEncoder encoder = new(round, SharedIndexSet.Random(round.Seed, round.ParameterCount, round.SetSize));
        LaneGenerator dither = LaneGenerator.For(plan.Seed, "dither", (ulong)plan.Round, deviceId);
        encoder.Encode(delta, training.Examples, training.MeanLoss, dither);
        if (round.Noise is not null)
        {
            // Never from the plan's seed: whoever knows the noise takes it off again.
            using KeyedGenerator secret = KeyedGenerator.Create();
            encoder.AddNoise(secret);
        }

        return new LinearUpdate(round, encoder);
    }

    /// <summary>The packed fields.</summary>
    public byte[] Pack()
    {
        byte[] packed = new byte[_round.PackedBytes];
        _encoder.Pack(packed);
        return packed;
    }
}
