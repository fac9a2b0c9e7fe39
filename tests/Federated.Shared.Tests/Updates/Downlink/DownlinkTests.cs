using Federated.Shared.Protocol;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;

namespace Federated.Shared.Tests.Updates.Downlink;

public sealed class DownlinkTests
{
    private const int Parameters = 4_000;

    private static readonly IndexSet _set = SharedIndexSet.Random(5, Parameters, 400).Indices;
    private static readonly float[] _previous = Vectors.Normal(Parameters, 1);
    private static readonly float[] _adapter = Changed(_previous, _set);

    [Fact]
    public void Delta_Applied_IsTheNewAdapterBitForBit()
    {
        float[] held = [.. _previous];
        Read(DownlinkEncoder.Delta(_previous, 3, _adapter, 7)).Apply(held, 3);
        Assert.Equal(_adapter, held);
    }

    [Fact]
    public void Delta_NothingChanged_IsShort() => Assert.InRange(DownlinkEncoder.Delta(_adapter, 3, _adapter, 7).ToBytes().Length, 1, 64);

    [Fact]
    public void Full_Exact_IsTheNewAdapterBitForBit()
    {
        float[] held = new float[Parameters];
        Read(DownlinkEncoder.Full(_adapter, 7, exact: true)).Apply(held, 0);
        Assert.Equal(_adapter, held);
    }

    [Fact]
    public void Full_EightBits_IsWithinHalfAStep()
    {
        float[] held = new float[Parameters];
        Read(DownlinkEncoder.Full(_adapter, 7, exact: false)).Apply(held, 0);
        Assert.All(held.Zip(_adapter), pair => Assert.Equal(pair.Second, pair.First, 4f / 127));
    }

    [Fact]
    public void SameSet_Applied_IsWithinHalfAStepAndChangesNothingElse()
    {
        float[] held = [.. _previous];
        Read(DownlinkEncoder.SameSet(_previous, _adapter, 7, _set)).Apply(held, 6, _set);
        Assert.All(held.Zip(_adapter), pair => Assert.Equal(pair.Second, pair.First, 0.01f));
        Assert.Equal(400, held.Zip(_previous).Count(pair => pair.First != pair.Second), 40.0);
    }

    [Fact]
    public void Apply_AnotherVersion_IsRefused()
    {
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(
            () => DownlinkEncoder.Delta(_previous, 3, _adapter, 7).Apply([.. _previous], 4));
        Assert.Equal(ErrorCode.Conflict, e.Code);
    }

    [Fact]
    public void Read_FormWithAnotherContent_IsMalformed()
    {
        DownlinkDocument wrong = DownlinkEncoder.Full(_adapter, 7, exact: true) with { Form = DownlinkForm.Adapter8 };
        Assert.Throws<ProtocolViolationException>(() => Read(wrong));
        Assert.Throws<ProtocolViolationException>(() => Read(DownlinkEncoder.Full(_adapter, 7, exact: true) with { BaseVersion = 3 }));
    }

    private static DownlinkDocument Read(DownlinkDocument document) => DownlinkDocument.FromBytes(document.ToBytes(), Parameters);

    private static float[] Changed(float[] adapter, IndexSet set)
    {
        float[] changed = [.. adapter];
        float[] change = Vectors.Normal(set.Count, 8);
        for (int i = 0; i < set.Count; i++)
        {
            changed[set.Indices[i]] += 0.1f * change[i];
        }

        return changed;
    }
}
