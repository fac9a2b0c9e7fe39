using System.Numerics.Tensors;
using Federated.Shared.Privacy;
using Federated.Shared.Randomness;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Bits;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Plain;

namespace Federated.Shared.Updates.Linear;

/// <summary>What encoding an update on the private path did to it.</summary>
/// <param name="Norm">L2 norm on the index set, before clipping.</param>
/// <param name="ClipFactor">1 when nothing was cut off.</param>
/// <param name="Limited">Coordinates that the quantizer had to limit; see <see cref="RingWidth.Limit"/>.</param>
public readonly record struct LinearEncoding(double Norm, double ClipFactor, int Limited);

/// <summary>
/// The clients' halves of the private path in order: restrict to the index set, clip, weigh, deal over the blocks, rotate, quantize into the ring. Its buffers
/// are used again from round to round as long as the sizes stay. One caller at a time.
/// </summary>
public sealed class LinearEncoder
{
    private readonly LinearRound _round;
    private readonly SharedIndexSet _set;
    private readonly float[] _gathered;
    private readonly float[] _coordinates;
    private readonly float[] _transmitted;
    private readonly uint[] _fields;

    /// <summary>An encoder of one round.</summary>
    /// <exception cref="ArgumentException">The settings contradict each other, or the set is not the round's.</exception>
    public LinearEncoder(LinearRound round, SharedIndexSet set)
    {
        LinearDecoder.Demand(round, set);
        _round = round;
        _set = set;
        _gathered = new float[set.Indices.Count + round.Votes];
        _transmitted = set.KeepsResidual ? new float[set.Indices.Count] : [];
        _coordinates = new float[round.PaddedLength];
        _fields = new uint[round.FieldCount];
    }

    /// <summary>
    /// Fields of the last update, to be masked or packed: [<see cref="LinearRound.FieldCount"/>]. The upper bits are not cleared.
    /// </summary>
    public Span<uint> Fields => _fields;

    /// <summary>Encodes an update into <see cref="Fields"/>.</summary>
    /// <param name="update">u: [P], finite. With a residual: the sum of both.</param>
    /// <param name="examples">Examples it speaks for, at least 1.</param>
    /// <param name="loss">Mean training loss.</param>
    /// <param name="dither">The client's own randomness.</param>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public LinearEncoding Encode(ReadOnlySpan<float> update, int examples, double loss, LaneGenerator dither)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(examples);
        Span<float> coordinates = _coordinates;
        Span<float> values = _gathered.AsSpan(0, _set.Indices.Count);
        _set.Indices.Gather(update, values);
        (double norm, double factor) = L2Clip.Apply(values, _round.ValueClipNorm);
        if (_round.Votes > 0)
        {
            Vote(update, _gathered.AsSpan(values.Length));
        }

        int weight = Math.Min(examples, _round.MaxExamples);
        if (weight < _round.MaxExamples)
        {
            TensorPrimitives.Multiply(_gathered, Share(weight), _gathered);
        }

        BlockDeal.Deal(_gathered, _round.RotationBlock, coordinates);
        HadamardRotation.Rotate(coordinates, _round.RotationBlock, _round.Seed);
        int limited = StochasticQuantizer.Quantize(coordinates, (float)_round.Step, _round.QuantizerLimit, dither, _fields.AsSpan(0, coordinates.Length));
        LinearEncoding encoding = new(norm, factor, limited);
        LinearStatistics.Of(_round, examples, loss, encoding).Write(_round, _fields.AsSpan(coordinates.Length));
        return encoding;
    }

    /// <summary>
    /// Adds the round's noise to <see cref="Fields"/>: once, after encoding and before anything leaves the device. Without it a round
    /// with noise has no privacy.
    /// </summary>
    /// <param name="random">The device's own secret: <see cref="KeyedGenerator.Create"/>.</param>
    /// <exception cref="InvalidOperationException">The round has no noise.</exception>
    public void AddNoise(KeyedGenerator random)
    {
        LinearNoise noise = _round.Noise ?? throw new InvalidOperationException("The round has no noise of the clients.");
        int coordinates = _coordinates.Length;
        FieldVector fields = FieldVector.Of(_fields, _round.WidthBits);
        DistributedSkellam.AddTo(fields, 0, coordinates, noise.Variance, -_round.Limit, _round.Limit, random);
        int bit = coordinates + LinearStatistics.OffsetOfUnclipped(_round);
        DistributedSkellam.AddTo(fields, bit, bit + 1, noise.BitVariance, 0, 2L * noise.BitMiddle, random);
        for (int i = 0; i < coordinates; i++)
        {
            _fields[i] = fields[i];
        }

        _fields[bit] = fields[bit];
    }

    /// <summary>Packs <see cref="Fields"/>: exactly <see cref="LinearRound.PackedBytes"/>.</summary>
    public void Pack(Span<byte> destination) => FieldPacking.Pack(_fields, _round.WidthBits, destination);

    /// <summary>
    /// Encodes a residual together with an update and takes off it what was transmitted, before any mask is added: what stays is the new residual. For index
    /// sets whose clients keep one (<see cref="SharedIndexSet.KeepsResidual"/>).
    /// </summary>
    /// <param name="residual">The client's memory, which takes in the update and gives up what is sent.</param>
    /// <param name="update">g: [P], finite.</param>
    /// <param name="round">Its round, later than the residual's.</param>
    /// <param name="examples">Examples it speaks for, at least 1.</param>
    /// <param name="loss">Mean training loss.</param>
    /// <param name="dither">The client's own randomness.</param>
    /// <exception cref="InvalidOperationException">Clients keep no residual with this index set.</exception>
    /// <exception cref="ArgumentException">A length is another, or the round is not later.</exception>
    public LinearEncoding Encode(Residual residual, ReadOnlySpan<float> update, long round, int examples, double loss, LaneGenerator dither)
    {
        ArgumentNullException.ThrowIfNull(residual);
        if (!_set.KeepsResidual)
        {
            throw new InvalidOperationException($"Index set {_set.Kind} is scaled by its inverse inclusion probability; a residual would count what it left out twice.");
        }

        residual.Accumulate(update, round);
        LinearEncoding encoding = Encode(residual.Values, examples, loss, dither);
        Span<float> coordinates = _coordinates;
        StochasticQuantizer.Dequantize(_fields.AsSpan(0, coordinates.Length), FieldPacking.MaxWidthBits, (float)_round.Step, coordinates);
        HadamardRotation.Invert(coordinates, _round.RotationBlock, _round.Seed);
        BlockDeal.Collect(coordinates, _round.RotationBlock, _gathered);
        float share = Share(Math.Min(examples, _round.MaxExamples));
        for (int i = 0; i < _transmitted.Length; i++)
        {
            _transmitted[i] = _gathered[i] / share;
        }

        residual.Sent(_set.Indices.Indices, _transmitted);
        return encoding;
    }

    /// <summary>Gives the residual back what the last call took from it, because the server did not count it.</summary>
    public void Restore(Residual residual)
    {
        ArgumentNullException.ThrowIfNull(residual);
        residual.Restore(_set.Indices.Indices, _transmitted);
    }

    /// <summary>The votes, brought to one norm for every client; nothing of a client whose update is zero there.</summary>
    private void Vote(ReadOnlySpan<float> update, Span<float> votes)
    {
        ResidualVotes.Cast(_round.Seed, update, votes);
        float norm = TensorPrimitives.Norm<float>(votes);
        TensorPrimitives.Multiply(votes, norm > 0 && float.IsFinite(norm) ? (float)(_round.VoteNorm / norm) : 0f, votes);
    }

    private float Share(int weight) => (float)((double)weight / _round.MaxExamples);
}
