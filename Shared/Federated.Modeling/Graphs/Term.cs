using Federated.Modeling.Onnx;

namespace Federated.Modeling.Graphs;

/// <summary>A value in a formula: its operators append nodes, so that code reads as the formula is written.</summary>
/// <param name="Graph">Where nodes are appended.</param>
/// <param name="Value">The floating-point value, or a truth value where two were compared.</param>
internal readonly record struct Term(GraphBuilder Graph, GraphValue Value)
{
    public static Term operator +(Term a, Term b) => a.Apply("Add", b.Value);

    public static Term operator -(Term a, Term b) => a.Apply("Sub", b.Value);

    public static Term operator *(Term a, Term b) => a.Apply("Mul", b.Value);

    public static Term operator /(Term a, Term b) => a.Apply("Div", b.Value);

    public static Term operator -(Term a) => a.Apply("Neg");

    public static Term operator >(Term a, Term b) => a.Apply("Greater", b.Value);

    public static Term operator <(Term a, Term b) => b > a;

    public static Term operator +(Term a, double b) => a + a.Scalar(b);

    public static Term operator *(Term a, double b) => a * a.Scalar(b);

    public static Term operator /(Term a, double b) => a / a.Scalar(b);

    public static Term operator -(double a, Term b) => b.Scalar(a) - b;

    public static Term operator >(Term a, double b) => a > a.Scalar(b);

    public static Term operator <(Term a, double b) => a < a.Scalar(b);

    /// <summary>True where the elements are equal.</summary>
    public Term Is(Term other) => Apply("Equal", other.Value);

    /// <summary>True where the elements are this number.</summary>
    public Term Is(double number) => Is(Scalar(number));

    /// <summary>This where the condition holds, 0 elsewhere: what stands elsewhere does not matter, be it NaN.</summary>
    public Term Where(Term condition) => condition.Apply("Where", Value, Scalar(0).Value);

    /// <summary>This where the condition holds, the other elsewhere.</summary>
    public Term Where(Term condition, Term other) => condition.Apply("Where", Value, other.Value);

    /// <summary>Another operator, this being its first input.</summary>
    public Term Apply(string operatorType, params IEnumerable<GraphValue> others) => Apply(operatorType, NodeAttributes.None, others);

    /// <summary>Another operator, this being its first input.</summary>
    public Term Apply(string operatorType, NodeAttributes attributes, params IEnumerable<GraphValue> others) =>
        new(Graph, Graph.Node(operatorType, attributes, [Value, .. others]));

    /// <summary>Equal parts along an axis.</summary>
    public Term[] Split(int parts, int axis)
    {
        if (parts == 1)
        {
            return [this];
        }

        GraphBuilder graph = Graph;
        TensorShape shape = Value.Shape;
        long size = shape[axis < 0 ? axis + shape.Rank : axis].Size / parts;
        GraphValue sizes = graph.Int64Vector([.. Enumerable.Repeat(size, parts)]);
        return [.. graph.Append("Split", "Split", NodeAttributes.None.With("axis", axis), [Value, sizes], parts).Outputs.Select(o => new Term(graph, o!))];
    }

    /// <summary>Without an axis of size 1.</summary>
    public Term Squeeze(int axis) => Apply("Squeeze", Graph.Int64Vector(axis));

    /// <summary>With new axes of size 1 at these places.</summary>
    public Term Unsqueeze(params ReadOnlySpan<long> axes) => Apply("Unsqueeze", Graph.Int64Vector(axes));

    /// <summary>Values one behind the other along an axis; at least one.</summary>
    public static Term Join(IEnumerable<Term> parts, int axis)
    {
        Term[] all = [.. parts];
        return all.Length == 1 ? all[0] : all[0].Apply("Concat", NodeAttributes.None.With("axis", axis), all[1..].Select(p => p.Value));
    }

    private Term Scalar(double number) => new(Graph, Graph.Scalar(Value.ElementType, number));
}
