using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Graphs.Folding;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Imports;

/// <summary>
/// Reads a model another program exported. What exporters compute shapes, positions and masks with is worked out while the graph is read, as the shapes
/// behind it are not known otherwise: such nodes become constants, and of a Reshape whose target holds sizes of symbolic dimensions these become 0 (copy)
/// or -1 (infer). Constant, Identity and Dropout nodes, and Cast and Expand nodes that change nothing, disappear; an If whose condition is known is
/// replaced by its branch. Nodes of older operator sets take their present form.
/// </summary>
public sealed class GraphImport
{
    /// <summary>A floating-point constant of the file with more elements than this is a weight: it may be trained, so it is not folded away.</summary>
    private const int MaxFoldedConstant = 16;

    private readonly GraphBuilder _graph;
    private readonly long _operatorSet;
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly HashSet<GraphValue> _weights = [];

    private GraphImport(string name, long operatorSet)
    {
        _graph = new GraphBuilder(name);
        _operatorSet = operatorSet;
    }

    /// <summary>Reads a model.</summary>
    /// <param name="model">As <see cref="OnnxFile.Read"/> gives it.</param>
    /// <param name="inputShapes">
    /// Shapes to take for inputs instead of the declared ones, by name: sizes for what the file leaves open, for example [N, 3, 48, 320] where only the
    /// batch is to stay symbolic. Sizes the file states cannot be changed.
    /// </param>
    /// <returns>
    /// The graph under the file's names for inputs, weights and outputs. Weights are constants that keep the name of the initializer or of the Constant
    /// node's output; two of equal content stay two.
    /// </returns>
    /// <exception cref="OnnxFormatException">The model is broken, or holds what is not supported; the message names the node and its operator.</exception>
    public static GraphBuilder Read(ModelProto model, IReadOnlyDictionary<string, TensorShape>? inputShapes = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        GraphProto proto = model.Graph ?? throw new OnnxFormatException("The ONNX model has no graph.");
        GraphImport import = new(string.IsNullOrEmpty(proto.Name) ? "graph" : proto.Name, OnnxFile.OperatorSetOf(model));
        try
        {
            import.Add(proto, inputShapes ?? ImmutableDictionary<string, TensorShape>.Empty);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new OnnxFormatException($"The graph '{proto.Name}' is broken: {e.Message}", e);
        }

        return import._graph;
    }

    private void Add(GraphProto proto, IReadOnlyDictionary<string, TensorShape> inputShapes)
    {
        Dictionary<string, GraphValue> values = new(StringComparer.Ordinal);
        CollectUsed(proto);
        _graph.ReserveNames(proto.Node.SelectMany(n => n.Output));
        AddInitializers(proto, values);
        foreach (ValueInfoProto input in proto.Input.Where(i => !values.ContainsKey(i.Name)))
        {
            TypeProto.Types.Tensor type = input.Type?.TensorType
                ?? throw new OnnxFormatException($"Input '{input.Name}' is not a tensor; only tensors are supported.");
            values.Add(input.Name, _graph.Input(input.Name, (DataType)type.ElemType, ShapeOf(input.Name, type, inputShapes)));
        }

        string? unknown = inputShapes.Keys.FirstOrDefault(n => _graph.Inputs.All(i => i.Name != n));
        if (unknown is not null)
        {
            throw new OnnxFormatException($"A shape is given for '{unknown}', which is no input; inputs are {string.Join(", ", _graph.Inputs.Select(i => i.Name))}.");
        }

        AddNodes(proto, values);
        foreach (ValueInfoProto output in proto.Output)
        {
            _graph.Output(output.Name, GraphFile.Find(values, output.Name, $"Output '{output.Name}'"));
        }

        _graph.DropDeadNodes();
    }

    private static TensorShape ShapeOf(string name, TypeProto.Types.Tensor type, IReadOnlyDictionary<string, TensorShape> inputShapes)
    {
        if (!inputShapes.TryGetValue(name, out TensorShape? given))
        {
            return GraphFile.Shape(name, type.Shape);
        }

        TensorShape declared = type.Shape is null ? given : GraphFile.Shape(name, type.Shape);
        bool fits = given.Rank == declared.Rank && declared.Dimensions.Zip(given.Dimensions).All(d => d.First.IsSymbolic || d.First == d.Second);
        return fits ? given : throw new OnnxFormatException($"Input '{name}' is given the shape {given}; the file says {declared}. Only its symbols can be set.");
    }

    /// <summary>Names that some node or output takes; optional outputs nobody takes are left out.</summary>
    private void CollectUsed(GraphProto proto)
    {
        _used.UnionWith(proto.Output.Select(o => o.Name));
        _used.UnionWith(proto.Node.SelectMany(n => n.Input));
        foreach (GraphProto inner in proto.Node.SelectMany(n => n.Attribute).Select(a => a.G).OfType<GraphProto>())
        {
            CollectUsed(inner);
        }
    }

    private void AddInitializers(GraphProto proto, Dictionary<string, GraphValue> values)
    {
        foreach (TensorProto tensor in proto.Initializer)
        {
            values[tensor.Name] = Stored(tensor, tensor.Name);
        }
    }

    private void AddNodes(GraphProto proto, Dictionary<string, GraphValue> values)
    {
        foreach (NodeProto node in proto.Node)
        {
            string[] names = [.. node.Output.Select(o => _used.Contains(o) ? o : "")];
            if (names.All(n => n.Length == 0))
            {
                continue;
            }

            GraphNode read = OlderLists.Apply(_graph, GraphFile.Read(node, values), _operatorSet);
            IReadOnlyList<GraphValue?> outputs = read.OperatorType switch
            {
                "Constant" => [Stored(ConstantContent(read), node.Output[0])],
                "If" => Branch(read, values),
                _ => NodeRewrites.Apply(_graph, node.Domain, read, _operatorSet) is { } rewritten ? [.. rewritten.Select(Known)] : Made(read, names),
            };
            for (int i = 0; i < names.Length; i++)
            {
                if (names[i].Length > 0)
                {
                    values.Add(names[i], outputs.ElementAtOrDefault(i) ?? throw read.Refuse($"output {i} ('{names[i]}') is not supported"));
                }
            }
        }
    }

    /// <summary>A value, or a constant of its content where that is known.</summary>
    private GraphValue? Known(GraphValue? value) =>
        value is { Constant: null, Content: { IsComplete: true } content } ? _graph.Constant(content.ToConstant(), value.Name) : value;

    /// <summary>The outputs of a node: existing values or constants where it computes nothing, else those of a node that is appended.</summary>
    private ImmutableArray<GraphValue?> Made(GraphNode node, string[] names)
    {
        IReadOnlyList<InferredType> types = ShapeInference.Infer(node, names.Length);
        bool onlyFirst = names.Skip(1).All(n => n.Length == 0);
        if (onlyFirst && ChangesNothing(node, types[0]))
        {
            return [node.Input(0)];
        }

        bool foldable = onlyFirst && !node.Inputs.Any(i => i is not null && _weights.Contains(i));
        if (foldable && ConstantFolding.Evaluate(node, types[0]) is { IsComplete: true } content)
        {
            return [_graph.Constant(content.ToConstant(), names[0])];
        }

        ImmutableArray<GraphValue?> inputs = node.OperatorType == "Reshape" ? [node.Input(0), ReshapeTarget(node, types[0].Shape)] : node.Inputs;
        return _graph.Import(node.Name, node.OperatorType, node.Attributes, inputs, names).Outputs;
    }

    private static bool ChangesNothing(GraphNode node, InferredType output) => node.OperatorType switch
    {
        "Identity" or "Dropout" => true,
        "Cast" or "CastLike" => output.Type == node.Input(0).ElementType,
        "Expand" => output.Shape.Equals(node.Input(0).Shape),
        _ => false,
    };

    /// <summary>A constant in which dimensions that are copied stand as 0 and at most one other symbolic one as -1; the computed target where that does not do.</summary>
    private GraphValue ReshapeTarget(GraphNode node, TensorShape shape)
    {
        TensorShape input = node.Input(0).Shape;
        GraphValue target = node.Input(1);
        if (target.Constant is not null)
        {
            return target;
        }

        bool zeroCopies = node.Attributes.IntegerOr("allowzero", 0) == 0;
        long[] sizes = [.. shape.Dimensions.Select((d, i) => !d.IsSymbolic ? d.Size : zeroCopies && i < input.Rank && input[i] == d ? 0 : -1)];
        bool unambiguous = sizes.Count(s => s == -1) <= 1 && shape.Dimensions.All(d => d.IsSymbolic || d.Size > 0);
        return unambiguous ? _graph.Int64Vector(sizes) : target;
    }

    private GraphValue Stored(TensorProto content, string name)
    {
        TensorContent.DemandWhole(content, name);
        GraphValue value = _graph.Stored(content, name);
        if (value.ElementType is not (DataType.Int64 or DataType.Int32 or DataType.Bool) && value.Shape.KnownProduct > MaxFoldedConstant)
        {
            _ = _weights.Add(value);
        }

        return value;
    }

    private static TensorProto ConstantContent(GraphNode node)
    {
        NodeAttributes attributes = node.Attributes;
        return attributes.Tensor("value")
            ?? (attributes.Has("value_int") ? TensorContent.Integers([attributes.IntegerOr("value_int", 0)], []) : null)
            ?? (attributes.Has("value_float") ? TensorContent.Floating(DataType.Float, [attributes.NumberOr("value_float", 0)], []) : null)
            ?? (attributes.Integers("value_ints") is { } integers ? TensorContent.Int64Vector([.. integers]) : null)
            ?? (attributes.Numbers("value_floats") is { } numbers
                ? TensorContent.Floating(DataType.Float, [.. numbers.Select(n => (double)n)], [numbers.Count])
                : null)
            ?? throw node.Refuse($"attributes {string.Join(", ", attributes.Names)}; a tensor, numbers or whole numbers are supported");
    }

    /// <summary>The outputs of the branch that a known condition chooses; its nodes join the graph.</summary>
    private ImmutableArray<GraphValue?> Branch(GraphNode node, Dictionary<string, GraphValue> values)
    {
        if (node.Input(0).Content is not { IsComplete: true, Elements: [KnownElement condition] })
        {
            throw node.Refuse($"the condition '{node.Input(0).Name}' is not known before a run; only conditions on known shapes are supported");
        }

        string chosen = condition.Integer != 0 ? "then_branch" : "else_branch";
        GraphProto branch = node.Attributes.Graph(chosen) ?? throw node.Refuse($"attribute '{chosen}' is missing");
        Dictionary<string, GraphValue> inner = new(values, StringComparer.Ordinal);
        AddInitializers(branch, inner);
        AddNodes(branch, inner);
        return [.. branch.Output.Select(o => GraphFile.Find(inner, o.Name, $"Output '{o.Name}' of node '{node.Name}'"))];
    }
}
