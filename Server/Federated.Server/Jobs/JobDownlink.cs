using System.Numerics.Tensors;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;

namespace Federated.Server.Jobs;

/// <summary>
/// The server's half of the compact downlink. A version differs from the one before by what an 8-bit change says, no more and no less, so that whoever applies
/// the change holds the version bit for bit; what rounding took away is remembered and goes into the next version. One caller at a time.
/// </summary>
/// <param name="remainder">What rounding has taken away so far: [P]; changed in place.</param>
internal sealed class JobDownlink(float[] remainder)
{
    /// <summary>What is still to be told: [P].</summary>
    public float[] Remainder => remainder;

    /// <summary>Gives an adapter what earlier rounding took from it, before the server steps it.</summary>
    public void Complete(Span<float> adapter) => TensorPrimitives.Add(adapter, remainder, adapter);

    /// <summary>Rounds the way from one version to the next.</summary>
    /// <param name="previous">The version before: [P].</param>
    /// <param name="adapter">What the next version should be: [P]; becomes what it is.</param>
    /// <param name="version">The next version.</param>
    /// <param name="set">The round's index set, when it alone changed and every device can draw it; null otherwise.</param>
    public DownlinkDocument Round(ReadOnlySpan<float> previous, Span<float> adapter, long version, IndexSet? set)
    {
        DownlinkDocument change = set is null
            ? DownlinkEncoder.Change(previous, adapter, version)
            : DownlinkEncoder.SameSet(previous, adapter, version, set);
        adapter.CopyTo(remainder);
        previous.CopyTo(adapter);
        change.Apply(adapter, version - 1, set);
        TensorPrimitives.Subtract(remainder, adapter, remainder);
        return change;
    }
}
