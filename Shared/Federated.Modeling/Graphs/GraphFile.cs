using System.Collections.Immutable;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs;

/// <summary>Turns a graph into an ONNX model and back.</summary>
public static class GraphFile
{
    private const string Producer = "federated";

    /// <summary>The graph as an ONNX model of the versions this project writes; the same graph always gives the same model.</summary>
    /// <exception cref="OnnxFormatException">The graph has no outputs.</exception>
    public static ModelProto ToModel(GraphBuilder graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        GraphProto proto = new() { Name = graph.Name };
        Dictionary<GraphValue, string> names = OutputNames(graph);
        proto.Input.AddRange(graph.Inputs.Select(i => Signature(i.Name, i)));
        foreach (GraphValue constant in graph.Constants)
        {
            TensorProto tensor = constant.Constant!.Clone();
            tensor.Name = constant.Name;
            proto.Initializer.Add(tensor);
        }

        foreach (GraphNode node in graph.Nodes)
        {
            NodeProto nodeProto = new() { Name = node.Name, OpType = node.OperatorType };
            nodeProto.Input.AddRange(node.Inputs.Select(i => NameOf(i, names)));
            nodeProto.Output.AddRange(node.Outputs.Select(o => NameOf(o, names)));
            nodeProto.Attribute.AddRange(node.Attributes.ToProtos());
            proto.Node.Add(nodeProto);
        }

        foreach ((string name, GraphValue value) in graph.Outputs)
        {
            if (NameOf(value, names) != name)
            {
                proto.Node.Add(new NodeProto { Name = $"output/{name}", OpType = "Identity", Input = { NameOf(value, names) }, Output = { name } });
            }

            proto.Output.Add(Signature(name, value));
        }

        return new ModelProto
        {
            IrVersion = OnnxFile.WrittenIrVersion,
            ProducerName = Producer,
            Graph = proto,
            OpsetImport = { new OperatorSetIdProto { Version = OnnxFile.WrittenOperatorSet } },
        };
    }

    /// <summary>
    /// Reads the graph of a model, brings its nodes into the form of the operator set that is written, and infers every type and shape. Constants keep their names;
    /// two of equal content stay two.
    /// </summary>
    /// <exception cref="OnnxFormatException">A node is of an operator that is not supported, or the graph is broken.</exception>
    public static GraphBuilder FromModel(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        GraphProto proto = model.Graph;
        try
        {
            return Read(proto, OnnxFile.OperatorSetOf(model));
        }
        catch (ArgumentException e)
        {
            throw new OnnxFormatException($"The graph '{proto.Name}' is broken: {e.Message}", e);
        }
    }

    private static GraphBuilder Read(GraphProto proto, long operatorSet)
    {
        GraphBuilder graph = new(string.IsNullOrEmpty(proto.Name) ? "graph" : proto.Name);
        graph.ReserveNames(proto.Node.SelectMany(n => n.Output));
        Dictionary<string, GraphValue> values = new(StringComparer.Ordinal);
        foreach (TensorProto tensor in proto.Initializer)
        {
            values[tensor.Name] = graph.Stored(tensor, tensor.Name);
        }

        foreach (ValueInfoProto input in proto.Input.Where(i => !values.ContainsKey(i.Name)))
        {
            TypeProto.Types.Tensor type = input.Type?.TensorType
                ?? throw new OnnxFormatException($"Input '{input.Name}' is not a tensor; only tensors are supported.");
            values.Add(input.Name, graph.Input(input.Name, (DataType)type.ElemType, Shape(input.Name, type.Shape)));
        }

        foreach (NodeProto node in proto.Node)
        {
            AddNode(graph, node, values, operatorSet);
        }

        foreach (ValueInfoProto output in proto.Output)
        {
            graph.Output(output.Name, Find(values, output.Name, $"Output '{output.Name}'"));
        }

        return graph;
    }

    private static void AddNode(GraphBuilder graph, NodeProto node, Dictionary<string, GraphValue> values, long operatorSet)
    {
        GraphNode read = OlderLists.Apply(graph, Read(node, values), operatorSet);
        IReadOnlyList<GraphValue?> outputs = NodeRewrites.Apply(graph, node.Domain, read, operatorSet)
            ?? graph.Import(read.Name, read.OperatorType, read.Attributes, read.Inputs, node.Output).Outputs;
        for (int i = 0; i < node.Output.Count; i++)
        {
            if (node.Output[i].Length > 0)
            {
                values.Add(node.Output[i], outputs.ElementAtOrDefault(i) ?? throw read.Refuse($"output {i} ('{node.Output[i]}') is not supported"));
            }
        }
    }

    /// <summary>A node as its file has it, with its inputs found and without outputs; a Split into equal parts says how many.</summary>
    /// <exception cref="OnnxFormatException">The operator is not known, or nothing before it makes an input.</exception>
    internal static GraphNode Read(NodeProto node, IReadOnlyDictionary<string, GraphValue> values)
    {
        string name = node.Name.Length == 0 ? node.OpType : node.Name;
        ImmutableArray<GraphValue?> inputs =
            [.. node.Input.Select(i => i.Length == 0 ? null : Find(values, i, $"Node '{name}' ({node.OpType})"))];
        GraphNode read = new(name, node.OpType, inputs, [], NodeAttributes.Of(node));
        if (node.Domain is not ("" or "ai.onnx") && !NodeRewrites.Operators.Contains((node.Domain, node.OpType)))
        {
            throw read.Refuse($"operators of domain '{node.Domain}' are not supported");
        }

        bool equalParts = node.OpType == "Split" && inputs.Length == 1 && !read.Attributes.Has("split") && !read.Attributes.Has("num_outputs");
        return equalParts ? read.With(attributes: read.Attributes.With("num_outputs", node.Output.Count)) : read;
    }

    /// <summary>A value by its name in the file.</summary>
    internal static GraphValue Find(IReadOnlyDictionary<string, GraphValue> values, string name, string what) => values.TryGetValue(name, out GraphValue? value)
        ? value
        : throw new OnnxFormatException($"{what}: nothing before it in the graph makes the value '{name}'.");

    /// <summary>An output that a node makes carries the output's name in the file; inputs, constants and second names need an Identity.</summary>
    private static Dictionary<GraphValue, string> OutputNames(GraphBuilder graph)
    {
        HashSet<GraphValue> made = [.. graph.Nodes.SelectMany(n => n.Outputs).OfType<GraphValue>()];
        Dictionary<GraphValue, string> names = [];
        foreach ((string name, GraphValue value) in graph.Outputs)
        {
            if (made.Contains(value))
            {
                _ = names.TryAdd(value, name);
            }
        }

        return names;
    }

    private static string NameOf(GraphValue? value, Dictionary<GraphValue, string> names) =>
        value is null ? "" : names.GetValueOrDefault(value, value.Name);

    private static ValueInfoProto Signature(string name, GraphValue value)
    {
        TensorShapeProto shape = new();
        shape.Dim.AddRange(value.Shape.Dimensions.Select(d => d.Symbol is { } symbol
            ? new TensorShapeProto.Types.Dimension { DimParam = symbol }
            : new TensorShapeProto.Types.Dimension { DimValue = d.Size }));
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)value.ElementType, Shape = shape } },
        };
    }

    /// <summary>The shape an input is declared with.</summary>
    internal static TensorShape Shape(string input, TensorShapeProto? shape)
    {
        if (shape is null)
        {
            throw new OnnxFormatException($"Input '{input}' has no shape; state its rank, with symbols for what only a run tells.");
        }

        return TensorShape.Of(shape.Dim.Select((d, i) => d.ValueCase switch
        {
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue when d.DimValue >= 0 => Dimension.Of(d.DimValue),
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam when d.DimParam.Length > 0 => Dimension.OfSymbol(d.DimParam),
            TensorShapeProto.Types.Dimension.ValueOneofCase.None => Dimension.OfSymbol($"{input}/{i}"),
            _ => throw new OnnxFormatException($"Input '{input}' has dimension {i} = '{d}'; sizes are at least 0 and symbols have a name."),
        }));
    }
}
