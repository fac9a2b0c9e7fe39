using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Imports;

/// <summary>
/// Brings the inputs and outputs of a file into the form of a package: one input of features [N, …] with every dimension but the batch known, one
/// output, everything else constant or gone.
/// </summary>
internal static class SourceSignature
{
    /// <summary>Changes the model in place.</summary>
    /// <returns>Names of the input and of the output.</returns>
    /// <exception cref="OnnxFormatException">The file leaves open what the options do not state; the message says which option does.</exception>
    public static (string Input, string Output) Normalize(ModelProto model, ImportOptions options)
    {
        GraphProto graph = model.Graph;
        HashSet<string> constants = [.. graph.Initializer.Select(t => t.Name)];
        foreach (ValueInfoProto listed in graph.Input.Where(i => constants.Contains(i.Name)).ToList())
        {
            _ = graph.Input.Remove(listed);
        }

        string? unknown = options.Fill.Keys.FirstOrDefault(name => graph.Input.All(i => i.Name != name));
        if (unknown is not null)
        {
            throw new OnnxFormatException($"--fill names '{unknown}', which is no input of the model; its inputs are {Names(graph.Input)}.");
        }

        string output = PickOutput(graph, options.Output);
        graph.Output.Clear();
        graph.Output.Add(new ValueInfoProto { Name = output });
        graph.ValueInfo.Clear();
        DropWhatTheOutputDoesNotNeed(graph, output);
        StoreConstants(graph);

        ValueInfoProto input = PickInput(graph, options);
        Dictionary<string, int> symbols = FixShape(input, options.InputShape);
        foreach (ValueInfoProto other in graph.Input.Where(i => i != input).ToList())
        {
            graph.Initializer.Add(Filled(other, options.Fill, symbols));
            _ = graph.Input.Remove(other);
        }

        return (SourceNames.Widen(graph, input), output);
    }

    private static string PickOutput(GraphProto graph, string? asked)
    {
        if (asked is null)
        {
            return graph.Output.Count == 1
                ? graph.Output[0].Name
                : throw new OnnxFormatException($"The model has {graph.Output.Count} outputs: {Names(graph.Output)}. Pick one with --output NAME.");
        }

        return graph.Node.Any(n => n.Output.Contains(asked))
            ? asked
            : throw new OnnxFormatException($"No node of the model makes '{asked}'. Its outputs are {Names(graph.Output)}.");
    }

    private static void DropWhatTheOutputDoesNotNeed(GraphProto graph, string output)
    {
        HashSet<string> needed = new(StringComparer.Ordinal) { output };
        List<NodeProto> kept = [];
        foreach (NodeProto node in graph.Node.Reverse())
        {
            if (node.Output.Any(needed.Contains))
            {
                kept.Add(node);
                needed.UnionWith(InputsOf(node));
            }
        }

        kept.Reverse();
        graph.Node.Clear();
        graph.Node.AddRange(kept);
        foreach (TensorProto dead in graph.Initializer.Where(t => !needed.Contains(t.Name)).ToList())
        {
            _ = graph.Initializer.Remove(dead);
        }

        foreach (ValueInfoProto dead in graph.Input.Where(i => !needed.Contains(i.Name)).ToList())
        {
            _ = graph.Input.Remove(dead);
        }
    }

    /// <summary>What a node takes, and what the branches of an If take from outside.</summary>
    private static IEnumerable<string> InputsOf(NodeProto node) =>
        node.Input.Concat(node.Attribute.Select(a => a.G).OfType<GraphProto>().SelectMany(g => g.Node.SelectMany(InputsOf).Concat(g.Output.Select(o => o.Name))));

    /// <summary>Some exporters keep weights in Constant nodes; as initializers they can be trained and counted like any other.</summary>
    private static void StoreConstants(GraphProto graph)
    {
        foreach (NodeProto node in graph.Node.Where(n => n.OpType == "Constant" && n.Domain is ("" or "ai.onnx")).ToList())
        {
            if (NodeAttributes.Of(node).Tensor("value") is { } value && value.DataType == (int)DataType.Float)
            {
                TensorProto weight = value.Clone();
                weight.Name = node.Output[0];
                graph.Initializer.Add(weight);
                _ = graph.Node.Remove(node);
            }
        }
    }

    private static ValueInfoProto PickInput(GraphProto graph, ImportOptions options)
    {
        if (graph.Input.Count == 0)
        {
            throw new OnnxFormatException("The output depends on no input: it is the same for every example. Pick another one with --output NAME.");
        }

        List<ValueInfoProto> open = [.. graph.Input.Where(i => !options.Fill.ContainsKey(i.Name))];
        if (open.Count == 0)
        {
            throw new OnnxFormatException($"--fill gives a value to every input that the output depends on: {Names(graph.Input)}. Leave out the one that takes the features.");
        }

        ValueInfoProto? picked = options.Input is { } asked ? graph.Input.FirstOrDefault(i => i.Name == asked) : open.Count == 1 ? open[0] : null;
        return picked ?? throw new OnnxFormatException(options.Input is null
            ? $"The output depends on {open.Count} inputs: {Names(open)}. Pick the features with --input NAME."
            : $"The output depends on no input '{options.Input}'; it depends on {Names(graph.Input)}.");
    }

    /// <summary>Sets the batch to a symbol and the rest to sizes; gives the sizes that symbols of the file turned out to have.</summary>
    private static Dictionary<string, int> FixShape(ValueInfoProto input, IReadOnlyList<int>? asked)
    {
        TypeProto.Types.Tensor type = input.Type?.TensorType ?? throw new OnnxFormatException($"Input '{input.Name}' is not a tensor; only tensors are supported.");
        if ((DataType)type.ElemType is not (DataType.Float or DataType.Int64 or DataType.Int32))
        {
            throw new OnnxFormatException(
                $"Input '{input.Name}' holds {(DataType)type.ElemType}; Float, Int64 and Int32 are supported. Export the model in float32.");
        }

        List<TensorShapeProto.Types.Dimension> dimensions = [.. type.Shape?.Dim ?? []];
        string found = $"[{string.Join(", ", dimensions.Select(d => d.DimValue > 0 ? $"{d.DimValue}" : d.DimParam.Length > 0 ? d.DimParam : "?"))}]";
        if (dimensions.Count == 0 && asked is null)
        {
            throw new OnnxFormatException($"Input '{input.Name}' has no batch dimension or no shape. State the shape of one example with --input-shape.");
        }

        if (asked is not null && dimensions.Count > 0 && asked.Count != dimensions.Count - 1)
        {
            throw new OnnxFormatException($"--input-shape has {asked.Count} dimensions; input '{input.Name}' is {found}, so an example has {dimensions.Count - 1}.");
        }

        // Inputs with a batch of their own are filled with one example, which broadcasts.
        Dictionary<string, int> symbols = new(StringComparer.Ordinal);
        if (dimensions.Count > 0 && dimensions[0].DimValue < 1)
        {
            symbols[dimensions[0].DimParam] = 1;
        }

        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        for (int i = 0; i < (asked?.Count ?? dimensions.Count - 1); i++)
        {
            TensorShapeProto.Types.Dimension? declared = dimensions.Count > 0 ? dimensions[i + 1] : null;
            long size = asked?[i] ?? declared!.DimValue;
            if (size < 1 || (declared is { DimValue: > 0 } && declared.DimValue != size))
            {
                throw new OnnxFormatException(
                    $"Input '{input.Name}' is {found}; dimension {i + 1} of an example is {(size < 1 ? "open" : $"not {size}")}. State the shape with --input-shape, for example --input-shape 3,32,320.");
            }

            if (declared is { DimParam.Length: > 0 })
            {
                symbols[declared.DimParam] = (int)size;
            }

            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
        }

        type.Shape = shape;
        return symbols;
    }

    private static TensorProto Filled(ValueInfoProto input, IReadOnlyDictionary<string, double> fill, Dictionary<string, int> symbols)
    {
        if (!fill.TryGetValue(input.Name, out double value))
        {
            throw new OnnxFormatException(
                $"The output depends on the input '{input.Name}' too. State the value it always has with --fill {input.Name}=VALUE (1 for an attention mask, 0 for token types).");
        }

        TypeProto.Types.Tensor type = input.Type?.TensorType ?? throw new OnnxFormatException($"Input '{input.Name}' is not a tensor; only tensors are supported.");
        long[] shape = [.. (type.Shape?.Dim ?? []).Select((d, i) =>
            i == 0 && d.DimValue < 1 ? 1
            : d.DimValue > 0 ? d.DimValue
            : symbols.TryGetValue(d.DimParam, out int size) ? size
            : throw new OnnxFormatException($"Input '{input.Name}' cannot be filled: its dimension {i} ('{d.DimParam}') is none of the features'. Export the model with a fixed shape."))];
        int count = (int)shape.Aggregate(1L, (product, size) => checked(product * size));
        TensorProto tensor = (DataType)type.ElemType switch
        {
            DataType.Int64 => TensorContent.Integers(Enumerable.Repeat((long)value, count).ToArray(), shape),
            DataType.Float => TensorContent.Floating(DataType.Float, Enumerable.Repeat(value, count).ToArray(), shape),
            DataType other => throw new OnnxFormatException($"Input '{input.Name}' holds {other}; Float and Int64 can be filled."),
        };
        tensor.Name = input.Name;
        return tensor;
    }

    private static string Names(IEnumerable<ValueInfoProto> values) => string.Join(", ", values.Select(v => $"'{v.Name}'"));
}
