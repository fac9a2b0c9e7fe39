using System.Text;
using System.Text.Json.Nodes;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Tests.Protocol;

namespace Federated.Shared.Tests.Models;

public sealed class PackageManifestTests
{
    [Fact]
    public void FromBytes_OwnBytes_GiveTheSameManifest() =>
        Assert.Equivalent(KnownDocuments.Manifest, PackageManifest.FromBytes(KnownDocuments.Manifest.ToBytes()), strict: true);

    [Fact]
    public void Layout_CopyWithOtherParameters_IsTheCopysOwn()
    {
        int before = KnownDocuments.Manifest.Layout.Length;
        PackageManifest copy = KnownDocuments.Manifest with { Parameters = [new PackageParameter("only", [5])] };

        Assert.Equal((3_186, 5), (before, copy.Layout.Length));
    }

    [Fact]
    public void FromBytes_AnotherFormat_SaysSoWhateverElseItHolds()
    {
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PackageManifest.FromBytes("""{"format": 3, "novel": []}"""u8));
        Assert.Equal(ErrorCode.UnsupportedVersion, e.Code);
        Assert.Contains("format 3", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("""{"format": 2}""")]
    [InlineData("""{"format": "one"}""")]
    public void FromBytes_NoManifest_IsMalformed(string json) => AssertMalformed(json, "");

    [Theory]
    [InlineData("task", "7", "task 7 is unknown")]
    [InlineData("task", "\"Poetry\"", "task")]
    [InlineData("inputs", "[]", "0 inputs")]
    [InlineData("inputs", """[{"name": "x", "elementType": "float32", "shape": [28, -28]}]""", "[28, -28]")]
    [InlineData("inputs", """[{"name": "x", "elementType": "float32", "shape": [65536, 65536]}]""", "overflow")]
    [InlineData("inputs", """[{"name": "x", "elementType": "float16", "shape": [1]}]""", "elementType")]
    [InlineData("inputs", """[{"name": "labels", "elementType": "float32", "shape": [1]}]""", "name of its own")]
    [InlineData("inputs", """[{"name": "dense1.bias", "elementType": "float32", "shape": [1]}]""", "name of the features")]
    [InlineData("inputs", "null", "inputs")]
    [InlineData("labels", """{"elementType": "int64", "shape": [], "classes": 0}""", "0 classes")]
    [InlineData("labels", """{"elementType": "int64", "shape": [0], "classes": 2}""", "[0]")]
    [InlineData("labels", """{"elementType": "float32", "shape": []}""", "no classes")]
    [InlineData("labels", """{"elementType": "float32", "shape": [], "classes": 3}""", "3 classes")]
    [InlineData("parameters", "[]", "0 trainable")]
    [InlineData("parameters", "[null]", "")]
    [InlineData("parameters", """[{"name": "a", "shape": [0]}]""", "dimension 0")]
    [InlineData("parameters", """[{"name": "a", "shape": [1]}, {"name": "a", "shape": [1]}]""", "occurs twice")]
    [InlineData("parameters", """[{"name": "a", "shape": [500000001]}]""", "500000001 trainable")]
    [InlineData("parameters", """[{"name": "a", "shape": [2, 3], "lora": {"target": "t", "factor": "A", "rank": 3, "scale": 1}}]""", "factor A of rank 3")]
    [InlineData("parameters", """[{"name": "a", "shape": [2, 3], "lora": {"target": "t", "factor": "B", "rank": 3, "scale": 0}}]""", "scale 0")]
    [InlineData("parameters", """[{"name": "a", "shape": [2, 3], "lora": {"target": "t", "factor": "A", "rank": 2, "scale": 1}}]""", "one A and one B")]
    [InlineData("fullModelParameters", "0", "model of 0")]
    [InlineData("frozenWeights", """[{"sha256": "abc", "lengthBytes": 1}]""", "SHA-256")]
    [InlineData("gradient", """{"sha256": "abc", "lengthBytes": 1}""", "SHA-256")]
    [InlineData("evaluation", """{"sha256": "0000000000000000000000000000000000000000000000000000000000000000", "lengthBytes": -1}""", "-1 bytes")]
    [InlineData("evaluation", "null", "evaluation")]
    public void FromBytes_ImpossibleValue_IsMalformed(string key, string value, string what)
    {
        JsonObject manifest = JsonNode.Parse(KnownDocuments.Manifest.ToBytes())!.AsObject();
        manifest[key] = JsonNode.Parse(value);
        AssertMalformed(manifest.ToJsonString(), what);
    }

    [Theory]
    [InlineData("format")]
    [InlineData("name")]
    [InlineData("task")]
    [InlineData("inputs")]
    [InlineData("labels")]
    [InlineData("parameters")]
    [InlineData("fullModelParameters")]
    [InlineData("gradient")]
    [InlineData("evaluation")]
    public void FromBytes_KeyMissing_IsMalformed(string key)
    {
        JsonObject manifest = JsonNode.Parse(KnownDocuments.Manifest.ToBytes())!.AsObject();
        Assert.True(manifest.Remove(key));
        AssertMalformed(manifest.ToJsonString(), "");
    }

    private static void AssertMalformed(string json, string what)
    {
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PackageManifest.FromBytes(Encoding.UTF8.GetBytes(json)));
        Assert.Equal(ErrorCode.MalformedDocument, e.Code);
        Assert.Contains(what, e.Message, StringComparison.OrdinalIgnoreCase);
    }
}
