using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Shared.Updates.Plain;

/// <summary>
/// What a client remembers from one update to the next: the residual, what earlier updates left out, and the velocity of momentum
/// correction (Lin et al., "Deep Gradient Compression", arXiv 1712.01887, section 3). Belongs to one client and one job; the client stores
/// it with <see cref="ToBytes"/>: MessagePack array [version = 1, job, round, P, bin of the residual, bin of the velocity or nil]. Not
/// thread-safe.
/// </summary>
public sealed class Residual
{
    private const string Kind = "residual document";
    private const int FormatVersion = 1;
    private const int Fields = 6;
    private const int OverheadBytes = 192;

    private readonly float[] _values;
    private float[]? _velocity;

    /// <summary>An empty one.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="parameterCount">P.</param>
    public Residual(string jobId, int parameterCount)
        : this(jobId, 0, new float[parameterCount], null)
    {
    }

    private Residual(string jobId, long round, float[] values, float[]? velocity)
    {
        JobId = jobId;
        Round = round;
        _values = values;
        _velocity = velocity;
    }

    /// <summary>The job.</summary>
    public string JobId { get; }

    /// <summary>The round of the last update; 0 before the first.</summary>
    public long Round { get; private set; }

    /// <summary>P.</summary>
    public int ParameterCount => _values.Length;

    /// <summary>What is still to be sent: [P].</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>The velocity: [P], or empty without momentum correction.</summary>
    public ReadOnlySpan<float> Velocity => _velocity;

    /// <summary>
    /// Takes in an update: u ← βu + g, v ← v + u with momentum correction (DGC, algorithm 1, lines 6 and 7), v ← v + g without it. Before
    /// that, what is remembered decays by <see cref="PlainCodec.StaleDecay"/> for each round that was missed.
    /// </summary>
    /// <param name="update">g: [P], finite.</param>
    /// <param name="round">Its round, later than the last one.</param>
    /// <param name="codec">The settings; null for neither decay nor momentum.</param>
    /// <exception cref="ArgumentException">The length is another, or the round is not later.</exception>
    internal void Accumulate(ReadOnlySpan<float> update, long round, PlainCodec? codec = null)
    {
        if (update.Length != _values.Length || round <= Round)
        {
            throw new ArgumentException(
                $"An update of {update.Length} parameters in round {round}; the residual has {_values.Length} parameters and has seen round {Round}.", nameof(update));
        }

        if (Round > 0 && round - Round > 1 && codec is { StaleDecay: < 1 })
        {
            float left = MathF.Pow(codec.StaleDecay, round - Round - 1);
            TensorPrimitives.Multiply(_values, left, _values);
            if (_velocity is not null)
            {
                TensorPrimitives.Multiply(_velocity, left, _velocity);
            }
        }

        Round = round;
        if (codec is { Momentum: > 0 })
        {
            _velocity ??= new float[_values.Length];

            // Two roundings rather than one fused, so that every processor gives the same.
            TensorPrimitives.Multiply(_velocity, codec.Momentum, _velocity);
            TensorPrimitives.Add(_velocity, update, _velocity);
            TensorPrimitives.Add(_values, _velocity, _values);
        }
        else
        {
            _velocity = null;
            TensorPrimitives.Add(_values, update, _values);
        }
    }

    /// <summary>
    /// Takes off what was sent, and clears the velocity of these parameters (DGC's momentum factor masking, section 3.2).
    /// </summary>
    /// <param name="indices">[k]; empty for all parameters.</param>
    /// <param name="transmitted">[k], as the server decodes it.</param>
    internal void Sent(ReadOnlySpan<int> indices, ReadOnlySpan<float> transmitted)
    {
        if (indices.IsEmpty)
        {
            TensorPrimitives.Subtract(_values, transmitted, _values);
            return;
        }

        for (int i = 0; i < indices.Length; i++)
        {
            _values[indices[i]] -= transmitted[i];
        }

        if (_velocity is not null)
        {
            foreach (int index in indices)
            {
                _velocity[index] = 0;
            }
        }
    }

    /// <summary>
    /// Puts back what was sent and did not count; what <see cref="Sent"/> took off is exact, so that this restores the values bit for bit.
    /// </summary>
    internal void Restore(ReadOnlySpan<int> indices, ReadOnlySpan<float> transmitted)
    {
        if (indices.IsEmpty)
        {
            TensorPrimitives.Add(_values, transmitted, _values);
            return;
        }

        for (int i = 0; i < indices.Length; i++)
        {
            _values[indices[i]] += transmitted[i];
        }
    }

    /// <summary>A copy, so that a round can be given up without a trace.</summary>
    public Residual Copy() => new(JobId, Round, [.. _values], _velocity is null ? null : [.. _velocity]);

    /// <summary>Encodes the document.</summary>
    public byte[] ToBytes()
    {
        ArrayBufferWriter<byte> buffer = new(((_values.Length + (_velocity?.Length ?? 0)) * sizeof(float)) + OverheadBytes);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(FormatVersion);
        writer.Write(JobId);
        writer.Write(Round);
        writer.Write(_values.Length);
        writer.Write(MemoryMarshal.AsBytes<float>(_values));
        if (_velocity is null)
        {
            writer.WriteNil();
        }
        else
        {
            writer.Write(MemoryMarshal.AsBytes<float>(_velocity));
        }

        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the residual of a job of <paramref name="parameterCount"/> parameters.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not such a residual, or it holds NaN or an infinity.</exception>
    public static Residual FromBytes(ReadOnlyMemory<byte> document, int parameterCount) =>
        DocumentReading.Read(document, Kind, (ref MessagePackReader reader) =>
        {
            reader.ReadHeader(Kind, FormatVersion, Fields);
            string job = reader.ReadText(Kind, "job", ProtocolLimits.MaxIdentifierLength);
            long round = reader.ReadInt64InRange(Kind, "round", 0, long.MaxValue);
            int count = reader.ReadInt32InRange(Kind, "parameter count", Math.Max(parameterCount, 1), parameterCount);
            float[] values = ReadFloats(ref reader, "values", count);
            return new Residual(job, round, values, reader.TryReadNil() ? null : ReadFloats(ref reader, "velocity", count));
        });

    private static float[] ReadFloats(ref MessagePackReader reader, string field, int count)
    {
        float[] values = MemoryMarshal.Cast<byte, float>(reader.ReadBinary(Kind, field, (long)count * sizeof(float)).Span).ToArray();
        return float.IsFinite(TensorPrimitives.MaxMagnitude<float>(values))
            ? values
            : throw DocumentReading.Malformed(Kind, $"{field} hold NaN or an infinity");
    }
}
