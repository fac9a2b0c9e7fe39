using System.Text;
using Federated.Modeling.Exports;
using Federated.Shared.Models;

namespace Federated.Modeling.Tests.Exports;

public sealed class SafetensorsFileTests
{
    private static readonly NamedTensor[] s_tensors = [new("b", [2, 1], new float[] { 1, -2 }), new("a", [], new float[] { 0.5f })];

    [Fact]
    public void Read_OwnBytes_GivesTheTensorsInOrder()
    {
        IReadOnlyList<NamedTensor> read = SafetensorsFile.Read(SafetensorsFile.Write(s_tensors, new Dictionary<string, string> { ["format"] = "pt" }));

        Assert.Equal(["b", "a"], read.Select(t => t.Name));
        Assert.Equal([2, 1], read[0].Shape);
        Assert.Empty(read[1].Shape);
        Assert.Equal([1f, -2f], read[0].Values.ToArray());
        Assert.Equal([0.5f], read[1].Values.ToArray());
    }

    // By the format's description: header length, header padded to eight bytes, little-endian values.
    [Fact]
    public void Write_OneTensor_GivesTheDescribedBytes()
    {
        byte[] file = SafetensorsFile.Write([new NamedTensor("w", [1], new float[] { 1 })]);
        string header = """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""";

        Assert.Equal([56, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(header.PadRight(56)), 0, 0, 0x80, 0x3F], file);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""")]
    [InlineData("""{"w":[]}""")]
    public void Read_HeaderThatLies_IsRefused(string header)
    {
        byte[] file = [(byte)header.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(header), 1, 2, 3, 4];
        if (header == "{}")
        {
            Assert.Empty(SafetensorsFile.Read(file));
            return;
        }

        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(file));
    }

    [Fact]
    public void ToPeft_Adapter_UsesPeftsNamesAndReadsBack()
    {
        ModelPackage package = ModelPackage.Build(
            new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 4, Hidden = [3], Classes = 2, Lora = new PackageLora(2, 4, "dense1", 1) }, 1);

        (byte[] weights, byte[] config) = AdapterTensors.ToPeft(package.Manifest, package.InitialAdapter);
        IReadOnlyList<NamedTensor> tensors = SafetensorsFile.Read(weights);

        Assert.Equal(["base_model.model.dense1.lora_A.weight", "base_model.model.dense1.lora_B.weight"], tensors.Select(t => t.Name));
        Assert.Equal(package.InitialAdapter, AdapterTensors.ToAdapter(package.Manifest, tensors));
        Assert.Contains("\"r\": 2", Encoding.UTF8.GetString(config), StringComparison.Ordinal);
        Assert.Contains("\"dense1\"", Encoding.UTF8.GetString(config), StringComparison.Ordinal);
    }

    [Fact]
    public void ToPeft_WholeWeights_IsRefused()
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 4, Hidden = [3], Classes = 2 }, 1);

        Assert.Contains("trains whole weights", Assert.Throws<ArgumentException>(() => AdapterTensors.ToPeft(package.Manifest, package.InitialAdapter)).Message, StringComparison.Ordinal);
    }
}
