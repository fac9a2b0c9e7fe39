using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Federated.Modeling.Onnx;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Quantization;

/// <summary>
/// Frozen matrices in 8 or 4 bits (as in QLoRA, Dettmers et al. 2023, arXiv 2305.14314, with evenly spaced numbers in the place of NF4). The graphs hold the numbers and
/// make float32 of them by DequantizeLinear, anew in front of every node that multiplies with a matrix: the float32 form lives as long as that node runs.
/// Gradients pass by it, as nothing frozen has one. Numbers have the shape [blocks, block] with a scale a row: ONNX Runtime's kernel for that is five times as fast as
/// the one for blocks inside a matrix.
/// </summary>
public static class QuantizedBase
{
    private const string NumbersSuffix = "/numbers";
    private const string ScalesSuffix = "/scales";
    private const string ShapeSuffix = "/shape";

    /// <summary>Replaces the constant matrices of at least <see cref="ExternalWeights.MinLengthBytes"/> that only MatMul, Gemm and Transpose nodes take.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bits are neither 8 nor 4.</exception>
    /// <exception cref="OnnxFormatException">A matrix holds a value that is not finite; the message names it.</exception>
    public static void Apply(int bits, params IReadOnlyList<ModelProto> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (bits is not (8 or 4))
        {
            throw new ArgumentOutOfRangeException(nameof(bits), bits, $"The base can have 8 or 4 bits a weight, not {bits}.");
        }

        foreach (GraphProto graph in models.Select(m => m.Graph))
        {
            HashSet<string> others = [.. graph.Node.Where(n => n.OpType is not ("MatMul" or "Gemm" or "Transpose")).SelectMany(n => n.Input)];
            others.UnionWith(graph.Node.Where(n => n.OpType == "Gemm").SelectMany(n => n.Input.Skip(2)));
            Dictionary<string, TensorProto> chosen = graph.Initializer.Where(t => IsMatrix(t) && !others.Contains(t.Name)).ToDictionary(t => t.Name, StringComparer.Ordinal);
            foreach (TensorProto weight in chosen.Values)
            {
                _ = graph.Initializer.Remove(weight);
                graph.Initializer.AddRange(Quantize(weight, bits));
            }

            Insert(graph, chosen);
        }
    }

    /// <summary>Puts float32 matrices in the place of quantized ones, for software that is to read or change them; the values stay those that the graphs compute with.</summary>
    /// <param name="model">Its constants are inside it.</param>
    public static void Widen(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        GraphProto graph = model.Graph;
        Dictionary<string, TensorProto> constants = graph.Initializer.ToDictionary(t => t.Name, StringComparer.Ordinal);
        Dictionary<string, string> weights = new(StringComparer.Ordinal);
        HashSet<NodeProto> gone = [];
        foreach (NodeProto node in graph.Node.Where(n => n.OpType == "Reshape" && n.Input[1].EndsWith(ShapeSuffix, StringComparison.Ordinal)))
        {
            string name = node.Input[1][..^ShapeSuffix.Length];
            if (graph.Node.FirstOrDefault(n => n.OpType == "DequantizeLinear" && n.Output[0] == node.Input[0]) is not { } source)
            {
                continue;
            }

            gone.UnionWith([node, source]);
            weights.Add(node.Output[0], name);
            if (constants.Remove(name + NumbersSuffix, out TensorProto? numbers) && constants.Remove(name + ScalesSuffix, out TensorProto? scales)
                && constants.Remove(name + ShapeSuffix, out TensorProto? shape))
            {
                _ = graph.Initializer.Remove(numbers);
                _ = graph.Initializer.Remove(scales);
                _ = graph.Initializer.Remove(shape);
                graph.Initializer.Add(Dequantize(name, numbers, scales, TensorContent.ReadInt64(shape)));
            }
        }

        List<NodeProto> left = [.. graph.Node.Where(n => !gone.Contains(n))];
        graph.Node.Clear();
        graph.Node.AddRange(left);
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
            {
                node.Input[i] = weights.GetValueOrDefault(node.Input[i], node.Input[i]);
            }
        }
    }

    private static bool IsMatrix(TensorProto tensor) =>
        tensor.DataType == (int)DataType.Float && tensor.Dims.Count == 2 && tensor.Dims[0] * tensor.Dims[1] * sizeof(float) >= ExternalWeights.MinLengthBytes;

    private static TensorProto[] Quantize(TensorProto weight, int bits)
    {
        float[] values = TensorContent.ReadFloat(weight);
        if (!float.IsFinite(TensorPrimitives.MaxMagnitude<float>(values)))
        {
            throw new OnnxFormatException($"The weight '{weight.Name}' holds values that are not finite, which have no form in {bits} bits. Repair the model, or keep its base in float32.");
        }

        int length = BlockQuantization.BlockLength((int)weight.Dims[1]);
        sbyte[] numbers = new sbyte[values.Length];
        float[] scales = new float[values.Length / length];
        BlockQuantization.Quantize(values, length, bits, numbers, scales);
        ReadOnlySpan<byte> content = bits == 8 ? MemoryMarshal.AsBytes(numbers.AsSpan()) : BlockQuantization.Pack(numbers);
        return
        [
            new TensorProto
            {
                Name = weight.Name + NumbersSuffix,
                DataType = (int)(bits == 8 ? DataType.Int8 : DataType.Int4),
                Dims = { scales.Length, length },
                RawData = ByteString.CopyFrom(content),
            },
            Floats(weight.Name + ScalesSuffix, scales, scales.Length),
            new TensorProto
            {
                Name = weight.Name + ShapeSuffix,
                DataType = (int)DataType.Int64,
                Dims = { 2 },
                RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<long>(weight.Dims.ToArray())),
            },
        ];
    }

    private static TensorProto Dequantize(string name, TensorProto numbers, TensorProto scales, ReadOnlySpan<long> shape)
    {
        ReadOnlySpan<byte> content = numbers.RawData.Span;
        int count = (int)(numbers.Dims[0] * numbers.Dims[1]);
        ReadOnlySpan<sbyte> values = numbers.DataType == (int)DataType.Int8 ? MemoryMarshal.Cast<byte, sbyte>(content) : BlockQuantization.Unpack(content, count);
        return Floats(name, BlockQuantization.Dequantize(values, TensorContent.ReadFloat(scales)), shape);
    }

    private static TensorProto Floats(string name, float[] values, params ReadOnlySpan<long> shape) => new()
    {
        Name = name,
        DataType = (int)DataType.Float,
        Dims = { shape.ToArray() },
        RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())),
    };

    private static void Insert(GraphProto graph, Dictionary<string, TensorProto> weights)
    {
        // ONNX Runtime orders nodes from the outputs back, and of what a node takes it computes first what stands last in the file. Standing first, a matrix is
        // made right before the node that multiplies with it; standing before that node, all of them would be made before the first layer.
        List<NodeProto> made = [];
        List<NodeProto> others = [];
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
            {
                string weight = node.Input[i];
                if (!weights.ContainsKey(weight))
                {
                    continue;
                }

                string name = $"{weight}/float32/{made.Count / 2}";
                made.Add(new NodeProto
                {
                    Name = $"{name}/blocks",
                    OpType = "DequantizeLinear",
                    Input = { weight + NumbersSuffix, weight + ScalesSuffix },
                    Output = { $"{name}/blocks" },
                    Attribute = { NodeAttributes.None.With("axis", 0).ToProtos() },
                });
                made.Add(new NodeProto { Name = name, OpType = "Reshape", Input = { $"{name}/blocks", weight + ShapeSuffix }, Output = { name } });
                node.Input[i] = name;
            }

            others.Add(node);
        }

        graph.Node.Clear();
        graph.Node.AddRange(made);
        graph.Node.AddRange(others);
    }
}
