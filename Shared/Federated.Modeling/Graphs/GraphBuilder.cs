using System.Collections.Immutable;
using Federated.Modeling.Graphs.Folding;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs;

/// <summary>
/// A graph while it grows. Nodes are appended in topological order, each with its outputs' types and shapes inferred at once, so a
/// mistake shows where it is made. Names are unique and depend on the order of the calls alone. Not thread-safe.
/// </summary>
public sealed class GraphBuilder
{
    private readonly List<GraphValue> _inputs = [];
    private readonly List<GraphValue> _constants = [];
    private readonly List<GraphNode> _nodes = [];
    private readonly List<(string Name, GraphValue Value)> _outputs = [];
    private readonly Dictionary<TensorProto, GraphValue> _constantsByContent = [];
    private readonly UniqueNames _valueNames = new();
    private readonly UniqueNames _nodeNames = new();

    /// <summary>Starts an empty graph.</summary>
    public GraphBuilder(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>The graph's name.</summary>
    public string Name { get; }

    /// <summary>What a run feeds, in order.</summary>
    public IReadOnlyList<GraphValue> Inputs => _inputs;

    /// <summary>Constants (initializers).</summary>
    public IReadOnlyList<GraphValue> Constants => _constants;

    /// <summary>Nodes in topological order.</summary>
    public IReadOnlyList<GraphNode> Nodes => _nodes;

    /// <summary>What a run gives, in order, with the names it is known by outside.</summary>
    public IReadOnlyList<(string Name, GraphValue Value)> Outputs => _outputs;

    /// <summary>Adds an input under exactly this name.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public GraphValue Input(string name, DataType type, TensorShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        GraphValue value = new(_valueNames.Claim(name), type, shape);
        _inputs.Add(value);
        return value;
    }

    /// <summary>A constant with this content; equal constants are shared.</summary>
    /// <param name="content">Its own name is ignored.</param>
    /// <param name="hint">What its name starts with.</param>
    public GraphValue Constant(TensorProto content, string hint = "constant")
    {
        ArgumentNullException.ThrowIfNull(content);
        TensorProto key = content.Clone();
        key.Name = "";
        if (_constantsByContent.TryGetValue(key, out GraphValue? existing))
        {
            return existing;
        }

        GraphValue value = new(_valueNames.Next(hint), (DataType)content.DataType, TensorShape.OfSizes(content.Dims), key);
        _constants.Add(value);
        _constantsByContent.Add(key, value);
        return value;
    }

    /// <summary>A constant of a file: under its own name, and apart from others of the same content, as it may become trainable.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    internal GraphValue Stored(TensorProto content, string name)
    {
        TensorProto unnamed = content.Clone();
        unnamed.Name = "";
        GraphValue value = new(_valueNames.Claim(name), (DataType)content.DataType, TensorShape.OfSizes(content.Dims), unnamed);
        _constants.Add(value);
        return value;
    }

    /// <summary>A floating-point scalar.</summary>
    public GraphValue Scalar(DataType type, double value) => Constant(TensorContent.Floating(type, [value], []));

    /// <summary>An int64 vector, as axes and shapes are given.</summary>
    public GraphValue Int64Vector(params ReadOnlySpan<long> values) => Constant(TensorContent.Int64Vector(values));

    /// <summary>Appends a node with one output.</summary>
    public GraphValue Node(string operatorType, params IEnumerable<GraphValue?> inputs) => Node(operatorType, NodeAttributes.None, inputs);

    /// <summary>Appends a node with one output.</summary>
    public GraphValue Node(string operatorType, NodeAttributes attributes, params IEnumerable<GraphValue?> inputs) =>
        Append(operatorType, operatorType, attributes, inputs, 1).Outputs[0]!;

    /// <summary>Appends a node and infers its outputs.</summary>
    /// <param name="name">What the node's name starts with; a suffix makes it unique.</param>
    /// <param name="operatorType">The ONNX operator.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="inputs">Values of this graph; null for an optional one that is left out.</param>
    /// <param name="outputCount">How many of its outputs are wanted.</param>
    /// <exception cref="OnnxFormatException">The operator is not supported, or the inputs do not fit it.</exception>
    public GraphNode Append(string name, string operatorType, NodeAttributes attributes, IEnumerable<GraphValue?> inputs, int outputCount)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        string nodeName = _nodeNames.Next(name);
        GraphNode bare = new(nodeName, operatorType, [.. inputs], [], attributes);
        IReadOnlyList<InferredType> types = ShapeInference.Infer(bare, outputCount);
        ImmutableArray<GraphValue?> outputs =
            [.. types.Select((t, i) => Made(bare, _valueNames.Next(i == 0 ? $"{nodeName}/out" : $"{nodeName}/out{i}"), t, i))];
        GraphNode node = new(nodeName, operatorType, bare.Inputs, outputs, attributes);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Makes a value an output under exactly this name.</summary>
    /// <exception cref="ArgumentException">The name is taken by another value or output.</exception>
    public void Output(string name, GraphValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (_outputs.Any(o => o.Name == name))
        {
            throw new ArgumentException($"Graph '{Name}' already has an output '{name}'.", nameof(name));
        }

        _outputs.Add((value.Name == name ? name : _valueNames.Claim(name), value));
    }

    /// <summary>Keeps the names that a file gives its values from being used for others before they are read.</summary>
    internal void ReserveNames(IEnumerable<string> names) => _valueNames.Reserve(names);

    /// <summary>Forgets the outputs; their values stay.</summary>
    internal void ClearOutputs() => _outputs.Clear();

    /// <summary>Appends a node that was read from a file, under the names it has there.</summary>
    internal GraphNode Import(
        string name, string operatorType, NodeAttributes attributes, ImmutableArray<GraphValue?> inputs, IReadOnlyList<string> outputNames)
    {
        string nodeName = _nodeNames.Next(name);
        GraphNode bare = new(nodeName, operatorType, inputs, [], attributes);
        IReadOnlyList<InferredType> types = ShapeInference.Infer(bare, outputNames.Count);
        ImmutableArray<GraphValue?> outputs =
            [.. outputNames.Select((o, i) => o.Length == 0 ? null : Made(bare, _valueNames.Claim(o), types[i], i))];
        GraphNode node = new(nodeName, operatorType, inputs, outputs, attributes);
        _nodes.Add(node);
        return node;
    }

    /// <summary>The node with at least this many outputs, none left out; it takes the old one's place and keeps its values.</summary>
    /// <exception cref="ArgumentException">The node is not of this graph.</exception>
    internal GraphNode WithOutputs(GraphNode node, int count)
    {
        if (node.Outputs.Length >= count && node.Outputs.Take(count).All(o => o is not null))
        {
            return node;
        }

        int index = _nodes.IndexOf(node);
        if (index < 0)
        {
            throw new ArgumentException($"Node '{node.Name}' is not in graph '{Name}'.", nameof(node));
        }

        IReadOnlyList<InferredType> types = ShapeInference.Infer(node, Math.Max(count, node.Outputs.Length));
        ImmutableArray<GraphValue?> outputs =
        [
            .. types.Select((t, i) => node.OptionalOutput(i) ?? Made(node, _valueNames.Next($"{node.Name}/out{i}"), t, i)),
        ];
        return _nodes[index] = new GraphNode(node.Name, node.OperatorType, node.Inputs, outputs, node.Attributes);
    }

    /// <summary>Puts other nodes in the place of one. What used its outputs uses theirs.</summary>
    /// <param name="node">A node of this graph.</param>
    /// <param name="build">Appends the replacement to this graph and gives a value for each output of the node that is not left out, null else.</param>
    internal void Replace(GraphNode node, Func<IReadOnlyList<GraphValue?>> build)
    {
        int index = _nodes.IndexOf(node);
        int count = _nodes.Count;
        IReadOnlyList<GraphValue?> replacements = build();
        Dictionary<GraphValue, GraphValue> originals = [];
        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i] is { } original)
            {
                originals.Add(replacements[i]!, original);
            }
        }

        GraphValue? Rebind(GraphValue? value) => value is null ? null : originals.GetValueOrDefault(value, value);
        List<GraphNode> made =
        [
            .. _nodes[count..].Select(n => new GraphNode(n.Name, n.OperatorType, [.. n.Inputs.Select(Rebind)], [.. n.Outputs.Select(Rebind)], n.Attributes)),
        ];
        _nodes.RemoveRange(count, _nodes.Count - count);
        _nodes.RemoveAt(index);
        _nodes.InsertRange(index, made);
    }

    /// <summary>Drops nodes and constants no output depends on. Inputs stay: they are the graph's signature.</summary>
    public void DropDeadNodes()
    {
        HashSet<GraphValue> alive = [.. _outputs.Select(o => o.Value)];
        HashSet<GraphNode> needed = [];
        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            if (_nodes[i].Outputs.Any(o => o is not null && alive.Contains(o)))
            {
                _ = needed.Add(_nodes[i]);
                alive.UnionWith(_nodes[i].Inputs.OfType<GraphValue>());
            }
        }

        _ = _nodes.RemoveAll(n => !needed.Contains(n));
        foreach (GraphValue dead in _constants.Where(c => !alive.Contains(c)).ToList())
        {
            _ = _constants.Remove(dead);
            if (_constantsByContent.TryGetValue(dead.Constant!, out GraphValue? shared) && shared == dead)
            {
                _ = _constantsByContent.Remove(dead.Constant!);
            }
        }
    }
    /// <summary>The value a node makes; that of a first output that holds a shape knows its content.</summary>
    private static GraphValue Made(GraphNode node, string name, InferredType type, int output) =>
        new(name, type.Type, type.Shape, null, output == 0 ? ConstantFolding.EvaluateShape(node, type) : null);
}
