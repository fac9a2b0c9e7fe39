using System.Runtime.InteropServices;
using Federated.Shared.Models;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Onnx;

/// <summary>
/// Large constants outside their model, as ONNX external data: models that share constants share one file of them. The file is named by its own
/// hash, so that a model names exactly the weights it was made with.
/// </summary>
public static class ExternalWeights
{
    /// <summary>Constants below this stay inside: shapes and axes must be read without a second file.</summary>
    public const int MinLengthBytes = 1024;

    // Vector kernels read whole cache lines.
    private const int AlignmentBytes = 64;

    /// <summary>
    /// Moves the constants of float32, 8 and 4 bits and of at least <see cref="MinLengthBytes"/> out of the models, each content once.
    /// </summary>
    /// <returns>The content of the file, which the models name by its SHA-256 in hexadecimal; empty when no constant is large enough.</returns>
    /// <exception cref="OnnxFormatException">The constants do not fit into one array.</exception>
    public static byte[] MoveOut(params IReadOnlyList<ModelProto> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        Dictionary<ByteString, long> offsets = [];
        List<(TensorProto Tensor, ByteString Content)> moved = [];
        long length = 0;
        foreach (TensorProto tensor in models.SelectMany(m => m.Graph.Initializer))
        {
            if (Content(tensor) is not { } content)
            {
                continue;
            }

            if (offsets.TryAdd(content, length))
            {
                length = (length + content.Length + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
            }

            moved.Add((tensor, content));
        }

        if (length > Array.MaxLength)
        {
            throw new OnnxFormatException($"The frozen weights have {length} bytes; {Array.MaxLength} are supported. Use a smaller model.");
        }

        byte[] file = new byte[length];
        foreach ((ByteString content, long offset) in offsets)
        {
            content.Span.CopyTo(file.AsSpan((int)offset));
        }

        string location = ContentHash.Of(file).Hex;
        foreach ((TensorProto tensor, ByteString content) in moved)
        {
            tensor.ClearRawData();
            tensor.FloatData.Clear();
            tensor.DataLocation = DataLocation.External;
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{offsets[content]}" });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{content.Length}" });
        }

        return file;
    }

    /// <summary>Puts external constants back into a model, without copying them. A place without a length is as long as its tensor's shape says.</summary>
    /// <param name="model">Its external tensors become ordinary ones.</param>
    /// <param name="open">Gives the content of a file by the name the model has for it.</param>
    /// <exception cref="OnnxFormatException">A tensor names no place in its file.</exception>
    public static void Embed(ModelProto model, Func<string, ReadOnlyMemory<byte>> open)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(open);
        Dictionary<string, ReadOnlyMemory<byte>> files = new(StringComparer.Ordinal);
        foreach (TensorProto tensor in model.Graph.Initializer.Where(t => t.DataLocation == DataLocation.External))
        {
            Dictionary<string, string> place = tensor.ExternalData.ToDictionary(e => e.Key, e => e.Value, StringComparer.Ordinal);
            string location = place.GetValueOrDefault("location", "");
            if (!files.TryGetValue(location, out ReadOnlyMemory<byte> file))
            {
                files.Add(location, file = open(location));
            }

            long offset = place.TryGetValue("offset", out string? from) && long.TryParse(from, out long start) ? start : 0;
            long length = place.TryGetValue("length", out string? count) && long.TryParse(count, out long stated)
                ? stated
                : TensorContent.LengthBytes(tensor) ?? file.Length - offset;
            if (offset < 0 || length < 0 || offset > file.Length - length)
            {
                throw new OnnxFormatException(
                    $"Tensor '{tensor.Name}' lies at {offset} with {length} bytes in the file '{location}', which has {file.Length}. The file is cut off or another one.");
            }

            tensor.RawData = UnsafeByteOperations.UnsafeWrap(file.Slice((int)offset, (int)length));
            tensor.ExternalData.Clear();
            tensor.DataLocation = DataLocation.Default;
        }
    }

    /// <summary>The same with the files of a folder.</summary>
    /// <exception cref="OnnxFormatException">The model names a file outside the folder, or one that is not there.</exception>
    public static void EmbedFrom(ModelProto model, string folder) => Embed(model, location =>
    {
        string root = Path.GetFullPath(folder);
        string path = Path.GetFullPath(Path.Combine(root, location));
        return location.Length > 0 && path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path)
            ? File.ReadAllBytes(path)
            : throw new OnnxFormatException($"The model keeps tensors in the file '{location}', which is not in the folder '{root}'. Put it beside the model.");
    });

    private static ByteString? Content(TensorProto tensor)
    {
        if (tensor.DataLocation != DataLocation.Default)
        {
            return null;
        }

        // Whole numbers are weights when they are as small as blocks of weights; shapes and axes have 64 bits.
        if (tensor.DataType is (int)DataType.Int8 or (int)DataType.Int4)
        {
            return tensor.RawData.Length >= MinLengthBytes ? tensor.RawData : null;
        }

        bool large = tensor.DataType == (int)DataType.Float
            && tensor.Dims.Aggregate(1L, (product, dimension) => product * dimension) * sizeof(float) >= MinLengthBytes;
        return !large ? null
            : tensor.HasRawData ? tensor.RawData
            : ByteString.CopyFrom(MemoryMarshal.AsBytes(TensorContent.ReadFloat(tensor).AsSpan()));
    }
}
