using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>ONNX element types in torch's words, and constants of them.</summary>
internal static class ElementTypes
{
    /// <summary>torch's type; null where the engine has none.</summary>
    public static ScalarType? Of(DataType type) => type switch
    {
        DataType.Float => ScalarType.Float32,
        DataType.Double => ScalarType.Float64,
        DataType.Int32 => ScalarType.Int32,
        DataType.Int64 => ScalarType.Int64,
        DataType.Bool => ScalarType.Bool,
        _ => null,
    };

    /// <summary>A constant's content as a tensor on a device; the caller disposes it.</summary>
    /// <exception cref="OnnxFormatException">The element type is not supported.</exception>
    public static Tensor ToTensor(TensorProto constant, Device device)
    {
        ReadOnlySpan<long> shape = [.. constant.Dims];
        using Tensor onHost = (DataType)constant.DataType switch
        {
            DataType.Float => tensor(TensorContent.ReadFloat(constant), shape),
            DataType.Double => tensor(TensorContent.ReadDouble(constant), shape),
            DataType.Int64 => tensor(TensorContent.ReadInt64(constant), shape),
            DataType.Int32 => tensor(TensorContent.ReadInt32(constant), shape),
            DataType.Bool => tensor(TensorContent.ReadBool(constant), shape),
            _ => throw new OnnxFormatException(
                $"Constant '{constant.Name}' holds {(DataType)constant.DataType}; the torch engine takes constants of Float, Double, Int64, Int32 and Bool."),
        };
        return onHost.to(device, copy: true).DetachFromDisposeScope();
    }
}
