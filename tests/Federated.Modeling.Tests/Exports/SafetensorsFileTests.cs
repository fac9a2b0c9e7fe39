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
    [InlineData("""{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"v":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"w":{"dtype":"F16","shape":[1],"data_offsets":[1,3]}}""")]
    [InlineData("""{"w":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}}""")]
    [InlineData("""{"w":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}""")]
    public void Read_HeaderThatLies_IsRefused(string header)
    {
        byte[] file = [(byte)header.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(header), 1, 2, 3, 4];

        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(file));
    }

    [Theory]
    [InlineData("""{"w":null}""", "w is missing or null")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1]}}""", "w.data_offsets is missing or null")]
    [InlineData("""{"w":{"shape":[1],"data_offsets":[0,4]}}""", "w.dtype is missing or null")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "w.data_offsets does not have two numbers")]
    [InlineData("null", "it is no JSON object")]
    public void Read_HeaderWithoutAKey_NamesIt(string header, string expected)
    {
        byte[] file = [(byte)header.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(header), 1, 2, 3, 4];

        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_HeaderInAnotherOrderThanTheBytes_FindsEachTensor()
    {
        const string Header = """{"b":{"dtype":"F16","shape":[1],"data_offsets":[2,4]},"none":{"dtype":"F16","shape":[0],"data_offsets":[2,2]},"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}""";
        byte[] file = [(byte)Header.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(Header), 0, 0x3C, 0, 0xC0];

        Assert.Equal([("b", -2f), ("none", 0f), ("a", 1f)], SafetensorsFile.Read(file).Select(t => (t.Name, t.Values.ToArray().FirstOrDefault())));
    }

    [Fact]
    public void Read_NoTensors_GivesNone() => Assert.Empty(SafetensorsFile.Read(SafetensorsFile.Write([])));
}
