using Federated.Shared.Tests.Protocol;
using Federated.Shared.Tests.Updates.Linear;
using Federated.Shared.Updates;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Shared.Tests.Updates;

/// <summary>The payloads whose bytes <c>tests/Golden</c> holds, and how a receiver decodes them to the end.</summary>
internal static class KnownPayloads
{
    /// <summary>P of vectors and index sets.</summary>
    public const int ParameterCount = 100;

    public static int[] Indices { get; } = [3, 17, 50, 99];

    public static LinearRound Round { get; } = new()
    {
        Seed = 0xFEDC_BA98_7654_3210,
        ParameterCount = ParameterCount,
        IndexSet = IndexSetKind.Random,
        SetSize = 13,
        ClipNorm = 2,
        Step = 0.25,
        WidthBits = 9,
        RotationBlock = 8,
        MinClients = 2,
        MaxClients = 10,
        MaxExamples = 600,
    };

    public static float[] Decode(byte[] document)
    {
        float[] vector = new float[ParameterCount];
        EncodedVector.FromBytes(document, ParameterCount).CopyTo(vector, new IndexSet(ParameterCount, Indices));
        return vector;
    }

    public static SharedIndexSet DecodeIndexSet(byte[] document) => IndexSetDocument.FromBytes(document, ParameterCount, 50);

    public static FieldSum DecodeLinear(byte[] document)
    {
        FieldSum sum = new(Round);
        sum.AddPacked(LinearPayload.FromBytes(document, Round).Span);
        return sum;
    }

    public static float[] DecodeDownlink(byte[] document)
    {
        float[] adapter = [.. KnownDocuments.AdapterValues];
        DownlinkDocument read = DownlinkDocument.FromBytes(document, adapter.Length);
        read.Apply(adapter, read.BaseVersion, read.Vector.Count > 0 ? new IndexSet(adapter.Length, [.. Enumerable.Range(0, read.Vector.Count)]) : null);
        return adapter;
    }
}
