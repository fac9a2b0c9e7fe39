using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Shared.Tests.Protocol;

/// <summary>
/// The bytes of every format, fixed: devices in the field and stores on disk hold them. The hexadecimal files were encoded by a second,
/// independent encoder. A change of format is a new version with new files beside these.
/// </summary>
public sealed class GoldenDocumentTests
{
    [Fact]
    public void Plan_Known_EncodesToTheGoldenBytes() => Assert.Equal(GoldenFile.Hex("plan.v1.hex"), KnownDocuments.Plan.ToBytes());

    [Fact]
    public void Plan_GoldenBytes_DecodeToTheKnownPlan() => Assert.Equal(KnownDocuments.Plan, PlanDocument.FromBytes(GoldenFile.Hex("plan.v1.hex")));

    [Fact]
    public void Plan_WithParameters_EncodesToTheGoldenBytesOfVersion2() =>
        Assert.Equal(GoldenFile.Hex("plan-parameters.v2.hex"), KnownDocuments.PlanWithParameters.ToBytes());

    [Fact]
    public void Plan_GoldenBytesOfVersion2_DecodeToTheKnownPlan() =>
        Assert.Equal(KnownDocuments.PlanWithParameters, PlanDocument.FromBytes(GoldenFile.Hex("plan-parameters.v2.hex")));

    [Fact]
    public void Update_Known_EncodesToTheGoldenBytes() => Assert.Equal(GoldenFile.Hex("update.v1.hex"), KnownDocuments.Update.ToBytes());

    [Fact]
    public void Update_GoldenBytes_DecodeToTheKnownUpdate()
    {
        UpdateDocument update = UpdateDocument.FromBytes(GoldenFile.Hex("update.v1.hex"), KnownDocuments.ParameterCount);

        Assert.Equal(KnownDocuments.Update with { Body = default }, update with { Body = default });
        Assert.Equal([0.5f, -1.25f, 0f], update.DenseValues.ToArray());
    }

    [Fact]
    public void PlanWithCodec_Known_HasTheGoldenBytes()
    {
        Assert.Equal(GoldenFile.Hex("plan-codec.v2.hex"), KnownDocuments.PlanWithCodec.ToBytes());
        Assert.Equal(KnownDocuments.PlanWithCodec, PlanDocument.FromBytes(GoldenFile.Hex("plan-codec.v2.hex")));
    }

    [Fact]
    public void Plan_WithCodecAndParameters_HasTheGoldenFieldsOfBoth()
    {
        PlanDocument both = KnownDocuments.PlanWithCodec with { Parameters = KnownDocuments.PlanWithParameters.Parameters };
        byte[] codec = GoldenFile.Hex("plan-codec.v2.hex");
        byte[] parameters = GoldenFile.Hex("plan-parameters.v2.hex");
        int record = parameters.Length - GoldenFile.Hex("plan.v1.hex").Length - 2;

        // Nil at the end of the first is the record at the end of the second, whose array header takes two bytes more than that of version 1.
        Assert.Equal([.. codec[..^1], .. parameters[^record..]], both.ToBytes());
        Assert.Equal(both, PlanDocument.FromBytes(both.ToBytes()));
    }

    [Fact]
    public void PlanWithLinear_Known_HasTheGoldenBytes()
    {
        Assert.Equal(GoldenFile.Hex("plan-linear.v3.hex"), KnownDocuments.PlanWithLinear.ToBytes());
        Assert.Equal(KnownDocuments.PlanWithLinear, PlanDocument.FromBytes(GoldenFile.Hex("plan-linear.v3.hex")));
        Assert.Equal(UpdateEncoding.MaskedFields, KnownDocuments.PlanWithLinear.Encoding);

        PlanDocument unmasked = KnownDocuments.PlanWithLinear with { Group = null };
        Assert.Equal(unmasked, PlanDocument.FromBytes(unmasked.ToBytes()));
        Assert.Equal(UpdateEncoding.LinearFields, unmasked.Encoding);
    }

    [Fact]
    public void PlanWithLinear_RoundOfOtherParameters_IsRefused() => Assert.Throws<ProtocolViolationException>(() => PlanDocument.FromBytes(
        (KnownDocuments.PlanWithLinear with { Parameters = null }).ToBytes()));

    [Fact]
    public void PlanWithDirections_Known_HasTheGoldenBytes()
    {
        Assert.Equal(GoldenFile.Hex("plan-directions.v4.hex"), KnownDocuments.PlanWithDirections.ToBytes());
        Assert.Equal(KnownDocuments.PlanWithDirections, PlanDocument.FromBytes(GoldenFile.Hex("plan-directions.v4.hex")));
        Assert.Equal(128, KnownDocuments.PlanWithDirections.SentCount);
    }

    [Fact]
    public void PlanWithDirections_AnyCodec_IsReadAsItWasWritten()
    {
        DirectionPlan directions = KnownDocuments.PlanWithDirections.Directions! with { Count = KnownDocuments.PlanWithLinear.SentCount };
        PlanDocument[] plans = [KnownDocuments.PlanWithCodec with { Directions = directions }, KnownDocuments.PlanWithLinear with { Directions = directions }];
        Assert.All(plans, plan => Assert.Equal(plan, PlanDocument.FromBytes(plan.ToBytes())));
    }

    [Theory]
    [InlineData(0, 0.001)]
    [InlineData(65_537, 0.001)]
    [InlineData(128, 1e-7)]
    [InlineData(128, double.NaN)]
    public void PlanWithDirections_OutOfRange_IsRefused(int count, double distance) => Assert.Throws<ProtocolViolationException>(() => PlanDocument.FromBytes(
        (KnownDocuments.Plan with { Directions = new DirectionPlan(1, count, distance) }).ToBytes()));

    [Fact]
    public void PlanWithOffers_Known_HasTheGoldenBytes()
    {
        Assert.Equal(GoldenFile.Hex("plan-offers.v5.hex"), KnownDocuments.PlanWithOffers.ToBytes());
        Assert.Equal(KnownDocuments.PlanWithOffers, PlanDocument.FromBytes(GoldenFile.Hex("plan-offers.v5.hex")));
    }

    [Fact]
    public void PlanWithOffers_WithoutARoundedAdapterOrChanges_IsReadAsItWasWritten()
    {
        AdapterOffers offers = KnownDocuments.PlanWithOffers.Offers!;
        PlanDocument[] plans =
        [
            KnownDocuments.PlanWithLinear with { Offers = offers with { Rounded = null } },
            KnownDocuments.PlanWithDirections with { Offers = offers with { Changes = [] } },
        ];
        Assert.All(plans, plan => Assert.Equal(plan, PlanDocument.FromBytes(plan.ToBytes())));
    }

    [Theory]
    [InlineData(AdapterOffers.MaxChanges + 1, 100L, 5UL, 1)]
    [InlineData(1, 0L, 5UL, 1)]
    [InlineData(1, ProtocolLimits.MaxDownloadBytes + 1, 5UL, 1)]
    [InlineData(1, 100L, 5UL, 0)]
    [InlineData(1, 100L, 5UL, 199_211)]
    [InlineData(1, 100L, null, 1)]
    public void PlanWithOffers_OutOfRange_IsRefused(int changes, long lengthBytes, ulong? seed, int setSize)
    {
        AdapterChange change = new(new ObjectReference(KnownDocuments.AdapterHash, lengthBytes), seed, setSize);
        PlanDocument plan = KnownDocuments.Plan with { Offers = new AdapterOffers { Changes = [.. Enumerable.Repeat(change, changes)] } };
        Assert.Throws<ProtocolViolationException>(() => PlanDocument.FromBytes(plan.ToBytes()));
    }

    [Fact]
    public void MaskedUpdate_Known_HasTheGoldenBytes()
    {
        Assert.Equal(GoldenFile.Hex("update.v3.hex"), KnownDocuments.MaskedUpdate.ToBytes());
        UpdateDocument update = UpdateDocument.FromBytes(GoldenFile.Hex("update.v3.hex"), KnownDocuments.ParameterCount);
        Assert.Equal(KnownDocuments.MaskedUpdate with { Body = default }, update with { Body = default });
    }

    [Fact]
    public void MaskedUpdate_ThatTellsItsExamples_IsRefused() => Assert.Throws<ProtocolViolationException>(() => UpdateDocument.FromBytes(
        (KnownDocuments.MaskedUpdate with { ExampleCount = 600 }).ToBytes(), KnownDocuments.ParameterCount));

    [Fact]
    public void EncodedUpdate_Known_HasTheGoldenBytes()
    {
        Assert.Equal(GoldenFile.Hex("update.v2.hex"), KnownDocuments.EncodedUpdate.ToBytes());
        UpdateDocument update = UpdateDocument.FromBytes(GoldenFile.Hex("update.v2.hex"), KnownDocuments.ParameterCount);
        Assert.Equal(KnownDocuments.EncodedUpdate with { Body = default }, update with { Body = default });
        Assert.Equal([1, 2, 3, 4, 5], update.Body.ToArray());
        Assert.Throws<InvalidOperationException>(() => update.DenseValues.Length);
    }

    [Fact]
    public void Adapter_Known_EncodesToTheGoldenBytes() =>
        Assert.Equal(GoldenFile.Hex("adapter.v1.hex"), AdapterDocument.ToBytes(6, KnownDocuments.AdapterValues));

    [Fact]
    public void Adapter_GoldenBytes_DecodeToTheKnownAdapter()
    {
        AdapterDocument adapter = AdapterDocument.FromBytes(GoldenFile.Hex("adapter.v1.hex"), KnownDocuments.ParameterCount);
        float[] values = new float[KnownDocuments.ParameterCount];
        adapter.CopyTo(values);

        Assert.Equal((6L, 3), (adapter.ModelVersion, adapter.ParameterCount));
        Assert.Equal(KnownDocuments.AdapterValues, values);
    }

    [Fact]
    public void Checkpoint_Known_EncodesToTheGoldenBytes() => Assert.Equal(GoldenFile.Hex("checkpoint.v1.hex"), KnownDocuments.Checkpoint.ToBytes());

    [Fact]
    public void Checkpoint_GoldenBytes_DecodeToTheKnownCheckpoint()
    {
        CheckpointDocument checkpoint = CheckpointDocument.FromBytes(GoldenFile.Hex("checkpoint.v1.hex"));

        Assert.Equal(KnownDocuments.Checkpoint with { OptimizerState = default }, checkpoint with { OptimizerState = default });
        Assert.Equal(KnownDocuments.Checkpoint.OptimizerState, checkpoint.OptimizerState);
    }

    [Fact]
    public void Manifest_Known_EncodesToTheGoldenBytes() => Assert.Equal(GoldenFile.Bytes("manifest.v2.json"), KnownDocuments.Manifest.ToBytes());

    [Fact]
    public void Manifest_GoldenBytes_DecodeToTheKnownManifest()
    {
        PackageManifest manifest = PackageManifest.FromBytes(GoldenFile.Bytes("manifest.v2.json"));

        Assert.Equivalent(KnownDocuments.Manifest, manifest, strict: true);
        Assert.Equal((3_186, 784, 1), (manifest.Layout.Length, manifest.FeatureLength, manifest.LabelLength));
    }
}
