using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Onnx;

public sealed class TensorContentTests
{
    [Fact]
    public void ReadFloat_RawOrTyped_GivesTheSame()
    {
        TensorProto raw = TensorContent.Floating(DataType.Float, [1.5, -2], [2]);
        TensorProto typed = new() { DataType = (int)DataType.Float, Dims = { 2 }, FloatData = { 1.5f, -2f } };
        Assert.Equal([1.5f, -2f], TensorContent.ReadFloat(raw));
        Assert.Equal([1.5f, -2f], TensorContent.ReadFloat(typed));
    }

    [Fact]
    public void ReadInt64_OtherType_IsRefusedByName()
    {
        TensorProto tensor = TensorContent.Floating(DataType.Double, [1], [1]);
        tensor.Name = "axes";
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => TensorContent.ReadInt64(tensor));
        Assert.Contains("'axes' holds Double", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadFloat_ContentElsewhere_IsRefused() => Assert.Throws<OnnxFormatException>(
        () => TensorContent.ReadFloat(new TensorProto { DataType = (int)DataType.Float, Dims = { 1 }, DataLocation = DataLocation.External }));

    [Fact]
    public void ReadDouble_FewerElementsThanTheShape_IsRefused() => Assert.Throws<OnnxFormatException>(
        () => TensorContent.ReadDouble(new TensorProto { DataType = (int)DataType.Double, Dims = { 2 }, DoubleData = { 1 } }));
}
