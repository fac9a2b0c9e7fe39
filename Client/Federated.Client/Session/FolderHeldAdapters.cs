using System.Numerics.Tensors;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// Keeps a device's adapters in a folder: one file a job, a byte that says whether it is exact and an adapter document; between the two, of a rounded one, the hash of the change that
/// leads to it. One that cannot be read counts as none.
/// </summary>
/// <param name="folder">Made when it is needed.</param>
public sealed class FolderHeldAdapters(string folder) : IHeldAdapters
{
    // Nothing leads on from a rounded one whose change is not known.
    private const byte RoundedOfUnknownChange = 0;
    private const byte Exact = 1;
    private const byte Rounded = 2;

    private readonly JobFiles _files = new(folder, ".adapter");

    /// <inheritdoc/>
    public HeldAdapter? Read(string jobId, int parameterCount)
    {
        try
        {
            if (_files.Read(jobId) is { } bytes && HeaderLength(bytes) is { } header && bytes.Length > header)
            {
                AdapterDocument document = AdapterDocument.FromBytes(bytes.AsMemory(header), parameterCount);
                float[] values = new float[parameterCount];
                document.CopyTo(values);

                // A device that lost power may hold anything; what is no number would poison its round.
                return float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(values))
                    ? new HeldAdapter(document.ModelVersion, bytes[0] == Exact, values, header > 1 ? ContentHash.FromBytes(bytes.AsSpan(1, ContentHash.LengthBytes)) : null)
                    : null;
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
        byte[] header = adapter switch
        {
            { IsExact: true } => [Exact],
            { Change: { } change } => [Rounded, .. change.ToBytes()],
            _ => [RoundedOfUnknownChange],
        };
        return _files.TryWrite(jobId, [.. header, .. AdapterDocument.ToBytes(adapter.Version, adapter.Values.Span)]);
    }

    private static int? HeaderLength(byte[] file) => file switch
    {
        [Rounded, ..] => 1 + ContentHash.LengthBytes,
        [_, ..] => 1,
        [] => null,
    };
}
