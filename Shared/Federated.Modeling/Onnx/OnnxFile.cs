using Google.Protobuf;

namespace Federated.Modeling.Onnx;

/// <summary>
/// Reads and writes ONNX files. Versions stay inside what ONNX Runtime 1.31 runs. Nodes of older operator sets are brought into the form of
/// <see cref="WrittenOperatorSet"/> when a graph is read; newer ones differ from it by operators and element types only.
/// </summary>
public static class OnnxFile
{
    /// <summary>Highest file format version that is read.</summary>
    public const int MaxIrVersion = 11;

    /// <summary>The file format version that is written.</summary>
    public const int WrittenIrVersion = 10;

    /// <summary>Lowest version of the standard operators that is read: the first that broadcasts as the later ones do.</summary>
    public const int MinOperatorSet = 7;

    /// <summary>Highest version of the standard operators that is read.</summary>
    public const int MaxOperatorSet = 23;

    /// <summary>The version of the standard operators that is written, and the one whose forms graphs use.</summary>
    public const int WrittenOperatorSet = 21;

    private const int MaxRecursion = 64;

    /// <summary>Reads a model and checks its versions and its graph.</summary>
    /// <exception cref="OnnxFormatException">The bytes are no ONNX model, or of a version that is not supported.</exception>
    public static ModelProto Read(ReadOnlyMemory<byte> content)
    {
        ModelProto model;
        try
        {
            using CodedInputStream stream = CodedInputStream.CreateWithLimits(new MemoryStream(content.ToArray(), writable: false), int.MaxValue, MaxRecursion);
            model = ModelProto.Parser.ParseFrom(stream);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OnnxFormatException($"The {content.Length} bytes are not an ONNX model: {e.Message}", e);
        }

        // Bytes of another kind often pass as a model that states nothing.
        if (model.IrVersion == 0)
        {
            throw new OnnxFormatException($"The {content.Length} bytes are not an ONNX model: they state no file format version. The file is empty or of another kind.");
        }

        Check(model);
        return model;
    }

    /// <summary>Encodes a model; the same model always gives the same bytes.</summary>
    /// <exception cref="OnnxFormatException">The model would not pass <see cref="Read"/>.</exception>
    public static byte[] Write(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Check(model);
        return model.ToByteArray();
    }

    /// <summary>The version of the standard operators that a model uses.</summary>
    /// <exception cref="OnnxFormatException">The model does not say.</exception>
    public static long OperatorSetOf(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version
            ?? throw new OnnxFormatException("The ONNX model does not say which version of the standard operators it uses (opset_import).");
    }

    private static void Check(ModelProto model)
    {
        if (model.IrVersion is < 1 or > MaxIrVersion)
        {
            throw new OnnxFormatException(
                $"The ONNX file format version is {model.IrVersion}; 1 to {MaxIrVersion} are read. Export the model with IR version {MaxIrVersion} or lower.");
        }

        if (model.Graph is null || model.Graph.Output.Count == 0)
        {
            throw new OnnxFormatException("The ONNX model has no graph with outputs: the file is empty, cut off or something else.");
        }

        long operatorSet = OperatorSetOf(model);
        if (operatorSet is < MinOperatorSet or > MaxOperatorSet)
        {
            throw new OnnxFormatException(
                $"The ONNX model uses operator set {operatorSet}; {MinOperatorSet} to {MaxOperatorSet} are supported. Export it again with one of these.");
        }
    }
}
