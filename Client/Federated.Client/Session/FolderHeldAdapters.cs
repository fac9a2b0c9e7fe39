using System.Numerics.Tensors;
using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// Keeps a device's adapters in a folder: one file a job, a byte that says whether it is exact and an adapter document. One that cannot be read counts as none.
/// </summary>
/// <param name="folder">Made when it is needed.</param>
public sealed class FolderHeldAdapters(string folder) : IHeldAdapters
{
    private const byte Exact = 1;

    private readonly JobFiles _files = new(folder, ".adapter");

    /// <inheritdoc/>
    public HeldAdapter? Read(string jobId, int parameterCount)
    {
        try
        {
            if (_files.Read(jobId) is { Length: > 1 } bytes)
            {
                AdapterDocument document = AdapterDocument.FromBytes(bytes.AsMemory(1), parameterCount);
                float[] values = new float[parameterCount];
                document.CopyTo(values);

                // A device that lost power may hold anything; what is no number would poison its round.
                return float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(values)) ? new HeldAdapter(document.ModelVersion, bytes[0] == Exact, values) : null;
            }
        }
        catch (ProtocolViolationException)
        {
            // Damaged, of another model, or of a job that no file can be called after.
        }

        return null;
    }

    /// <inheritdoc/>
    /// <exception cref="ProtocolViolationException">The job's name is no identifier.</exception>
    public bool TryWrite(string jobId, HeldAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        return _files.TryWrite(jobId, [adapter.IsExact ? Exact : (byte)0, .. AdapterDocument.ToBytes(adapter.Version, adapter.Values.Span)]);
    }
}
