using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Imports;

/// <summary>
/// The weights of one direction of an LSTM, GRU or RNN: W [directions, gates · hidden, inputs], R [directions, gates · hidden, hidden] and, if there,
/// B [directions, 2 · gates · hidden]. Constants are cut into matrices of their own, named after the layer, so that they count as weights of MatMul nodes.
/// </summary>
internal sealed class RecurrentWeights
{
    private readonly GraphBuilder _graph;
    private readonly GraphNode _node;
    private readonly int _direction;
    private readonly string _layer;
    private readonly int _gates;
    private readonly int _hidden;
    private readonly Dictionary<(string Name, int From), GraphValue> _parts = [];

    public RecurrentWeights(GraphBuilder graph, GraphNode node, int gates, int direction, string name)
    {
        _graph = graph;
        _node = node;
        _gates = gates;
        _direction = direction;
        GraphValue recurrence = node.Input(2);
        if (recurrence.Shape is not { Rank: 3 } shape || shape[2].IsSymbolic || shape[1].Size != gates * shape[2].Size || node.Input(1).Shape.Rank != 3)
        {
            throw node.Refuse($"inputs 1 and 2 have shapes {node.Input(1).Shape} and {recurrence.Shape}; [directions, {gates} · hidden, inputs] and [directions, {gates} · hidden, hidden] are needed");
        }

        _hidden = (int)shape[2].Size;
        string[] path = node.Name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        bool endsWithOperator = path.Length > 1 && path[^1].StartsWith(node.OperatorType, StringComparison.Ordinal);
        _layer = string.Join('.', endsWithOperator ? path[..^1] : path) + (name == "reverse" ? ".reverse" : "");
    }

    /// <summary>X · Wᵀ + Wb for all steps at once: [steps, N, gates · hidden].</summary>
    public Term OfSequence(Term x) => Biased(x.Apply("MatMul", Once("input", 0, () => Matrix(_node.Input(1), "input", 0, _gates))), 0, 0, _gates);

    /// <summary>H · Rᵀ + Rb of the gates from one to before another: [N, gates · hidden].</summary>
    public Term Recurrent(Term state, int from, int to) =>
        Biased(state.Apply("MatMul", Once("recurrent", from, () => Matrix(_node.Input(2), "recurrent", from, to))), _gates, from, to);

    /// <summary>The state before the first step, [N or 1, hidden]: an input [directions, N or 1, hidden], zeros if it is left out.</summary>
    public Term InitialState(int input)
    {
        if (_node.OptionalInput(input) is { } given)
        {
            return new Term(_graph, _graph.Node("Gather", NodeAttributes.None.With("axis", 0), given, _graph.Constant(TensorContent.Integers([_direction], []))));
        }

        return new Term(_graph, _graph.Constant(TensorContent.Floating(_node.Input(0).ElementType, new double[_hidden], [1, _hidden])));
    }

    private Term Biased(Term product, int half, int from, int to) =>
        _node.OptionalInput(3) is { } bias ? product + new Term(_graph, Once("bias", half + from, () => Part(bias, "bias", half + from, half + to))) : product;

    /// <summary>A part that every step takes. What is trained is cut by nodes, which would else stand there once a step, and their gradients too.</summary>
    private GraphValue Once(string name, int from, Func<GraphValue> cut)
    {
        if (!_parts.TryGetValue((name, from), out GraphValue? part))
        {
            _parts.Add((name, from), part = cut());
        }

        return part;
    }

    /// <summary>The transposed rows of some gates: [columns, gates · hidden].</summary>
    private GraphValue Matrix(GraphValue weights, string name, int from, int to)
    {
        if (weights.Constant is not { } constant)
        {
            return _graph.SwapLastTwo(Part(weights, name, from, to));
        }

        int columns = (int)weights.Shape[2].Size;
        int rows = (to - from) * _hidden;
        double[] values = Values(constant);
        int start = ((_direction * _gates) + from) * _hidden * columns;
        double[] transposed = new double[rows * columns];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                transposed[(column * rows) + row] = values[start + (row * columns) + column];
            }
        }

        string part = to - from == _gates ? name : $"{name}.{from}";
        return _graph.Constant(TensorContent.Floating(weights.ElementType, transposed, [columns, rows]), $"{_layer}.{part}.weight");
    }

    /// <summary>Rows of some gates, without the dimension of directions.</summary>
    private GraphValue Part(GraphValue weights, string name, int from, int to)
    {
        if (name == "bias" && weights.Constant is { } constant)
        {
            int start = ((_direction * 2 * _gates) + from) * _hidden;
            int length = (to - from) * _hidden;
            return _graph.Constant(TensorContent.Floating(weights.ElementType, Values(constant).AsSpan(start, length), [length]), $"{_layer}.{(from < _gates ? "input" : "recurrent")}.bias");
        }

        GraphValue cut = _graph.Node(
            "Slice",
            weights,
            _graph.Int64Vector(_direction, from * _hidden),
            _graph.Int64Vector(_direction + 1, to * _hidden),
            _graph.Int64Vector(0, 1));
        return _graph.Node("Squeeze", cut, _graph.Int64Vector(0));
    }

    private static double[] Values(TensorProto constant) => constant.DataType == (int)DataType.Double
        ? TensorContent.ReadDouble(constant)
        : [.. TensorContent.ReadFloat(constant).Select(v => (double)v)];
}
