using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// The one large buffer of a round, from the pool: the adapter document is received into it, its values become the delta in place, and
/// the update's header is written in front of them. [header room | P float32]; the adapter document ends where the values end, the update with the
/// last parameter sent. Not thread-safe.
/// </summary>
internal sealed class RoundBuffer : IDisposable
{
    private const int HeaderRoom = UpdateDocument.OverheadBytes;

    private readonly ArrayPool<byte> _pool;
    private readonly byte[] _array;
    private readonly int _valueBytes;
    private readonly int _adapterHeaderBytes;
    private int _sentBytes;
    private bool _disposed;

    private RoundBuffer(ArrayPool<byte> pool, int valueBytes, int adapterHeaderBytes)
    {
        _pool = pool;
        _valueBytes = valueBytes;
        _sentBytes = valueBytes;
        _adapterHeaderBytes = adapterHeaderBytes;
        _array = pool.Rent(HeaderRoom + valueBytes);
    }

    /// <summary>Where the adapter document is received.</summary>
    public Memory<byte> AdapterDocument => _array.AsMemory(HeaderRoom - _adapterHeaderBytes, _adapterHeaderBytes + _valueBytes);

    /// <summary>The adapter, later the delta: [P].</summary>
    public Span<float> Values => MemoryMarshal.Cast<byte, float>(_array.AsSpan(HeaderRoom, _valueBytes));

    /// <summary>What is sent of the delta: all of it until <see cref="Pack"/>.</summary>
    public ReadOnlySpan<float> Sent => MemoryMarshal.Cast<byte, float>(_array.AsSpan(HeaderRoom, _sentBytes));

    /// <summary>Rents the buffer of a plan.</summary>
    /// <exception cref="RoundAbortException">No adapter document of P parameters has the length that the plan states.</exception>
    public static RoundBuffer Rent(PlanDocument plan, ArrayPool<byte> pool)
    {
        long valueBytes = (long)plan.ParameterCount * sizeof(float);
        long headerBytes = plan.AdapterLengthBytes - valueBytes;
        return headerBytes is > 0 and <= HeaderRoom
            ? new RoundBuffer(pool, (int)valueBytes, (int)headerBytes)
            : throw new RoundAbortException(
                Shared.Protos.AbortReason.UnsupportedPlan,
                $"The plan states an adapter of {plan.AdapterLengthBytes} bytes for {plan.ParameterCount} parameters, which take {valueBytes} and a short header.");
    }

    /// <summary>Replaces the adapter with trained − adapter.</summary>
    /// <returns>Whether every value of the delta is finite (and their magnitudes' sum is, beyond which no training is sane).</returns>
    public bool Subtract(ReadOnlySpan<float> trained)
    {
        Span<float> values = Values;
        TensorPrimitives.Subtract(trained, values, values);
        return float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(values));
    }

    /// <summary>Moves what is sent to the front; the rest of the delta is lost.</summary>
    public void Pack(ParameterSelection sent)
    {
        Span<float> values = Values;
        sent.Gather(values, values[..sent.Length]);
        _sentBytes = sent.Length * sizeof(float);
    }

    /// <summary>Writes the update's header in front of the delta and gives the document; it lives as long as this buffer.</summary>
    public ReadOnlyMemory<byte> WriteUpdate(PlanDocument plan, int examples, int steps, double meanLoss)
    {
        ArrayBufferWriter<byte> header = new(HeaderRoom);
        Describe(plan, examples, steps, meanLoss, _sentBytes / sizeof(float), _array.AsMemory(HeaderRoom, _sentBytes)).WriteHeader(header);
        int start = HeaderRoom - header.WrittenCount;
        header.WrittenSpan.CopyTo(_array.AsSpan(start));
        return _array.AsMemory(start, header.WrittenCount + _sentBytes);
    }

    /// <summary>Gives the document of an update whose delta is encoded; nothing of it lies in this buffer.</summary>
    public static ReadOnlyMemory<byte> WriteUpdate(PlanDocument plan, int examples, int steps, double meanLoss, ReadOnlyMemory<byte> encoded) =>
        Describe(plan, examples, steps, meanLoss, plan.SentCount, encoded).ToBytes();

    /// <summary>Gives the buffer back. Nothing may read from it afterwards, so that no call may be under way.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _pool.Return(_array);
        }
    }

    private static UpdateDocument Describe(
        PlanDocument plan, int examples, int steps, double meanLoss, int parameters, ReadOnlyMemory<byte> body) => new()
    {
        JobId = plan.JobId,
        Round = plan.Round,
        ModelVersion = plan.ModelVersion,
        Encoding = plan.Encoding,
        ExampleCount = examples,
        StepCount = steps,
        MeanLoss = meanLoss,
        ParameterCount = parameters,
        Body = body,
    };
}
