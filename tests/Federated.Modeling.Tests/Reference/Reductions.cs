using Federated.Modeling.Graphs;

namespace Federated.Modeling.Tests.Reference;

/// <summary>Operators that reduce dimensions or normalize over some.</summary>
internal static class Reductions
{
    /// <summary>The function that a node applies to the elements it reduces to one; null when it is of another kind.</summary>
    public static Func<IReadOnlyList<double>, double>? Of(GraphNode node) => node.OperatorType switch
    {
        "ReduceL2" => v => Math.Sqrt(v.Sum(x => x * x)),
        "ReduceLogSumExp" => v => Math.Log(v.Sum(Math.Exp)),
        "ReduceMax" => v => v.Max(),
        "ReduceMean" => v => v.Average(),
        "ReduceMin" => v => v.Min(),
        "ReduceProd" => v => v.Aggregate(1.0, (a, b) => a * b),
        "ReduceSum" => v => v.Sum(),
        "ReduceSumSquare" => v => v.Sum(x => x * x),
        _ => null,
    };

    public static Tensor Reduce(GraphNode node, Tensor[] x, Func<IReadOnlyList<double>, double> reduce)
    {
        HashSet<int> axes = x.Length > 1 ? [.. x[1].Values.Select(v => (int)(v < 0 ? v + x[0].Rank : v))] : [];
        if (axes.Count == 0 && node.Attributes.IntegerOr("noop_with_empty_axes", 0) == 0)
        {
            axes = [.. Enumerable.Range(0, x[0].Rank)];
        }

        Tensor kept = Over(x[0], axes, reduce);
        bool keep = node.Attributes.IntegerOr("keepdims", 1) != 0;
        return keep ? kept : new Tensor(kept.Values, [.. x[0].Shape.Where((_, i) => !axes.Contains(i))]);
    }

    public static Tensor Softmax(GraphNode node, Tensor x)
    {
        int axis = Axis(node, x);
        Tensor sum = Over(x, [axis], v => v.Sum(Math.Exp));
        return Tensor.Make(x.Shape, p => Math.Exp(x[p]) / sum.Broadcast(p));
    }

    public static Tensor LogSoftmax(GraphNode node, Tensor x)
    {
        int axis = Axis(node, x);
        Tensor sum = Over(x, [axis], v => v.Sum(Math.Exp));
        return Tensor.Make(x.Shape, p => x[p] - Math.Log(sum.Broadcast(p)));
    }

    public static IReadOnlyList<Tensor> LayerNormalization(GraphNode node, Tensor[] x)
    {
        HashSet<int> axes = [.. Enumerable.Range(Axis(node, x[0]), x[0].Rank - Axis(node, x[0]))];
        double epsilon = node.Attributes.NumberOr("epsilon", 1e-5f);
        Tensor mean = Over(x[0], axes, v => v.Average());
        Tensor reciprocal = Over(x[0], axes, v => 1 / Math.Sqrt(v.Average(e => Math.Pow(e - v.Average(), 2)) + epsilon));
        Tensor y = Tensor.Make(x[0].Shape, p =>
            ((x[0][p] - mean.Broadcast(p)) * reciprocal.Broadcast(p) * x[1].Broadcast(p)) + (x.Length > 2 ? x[2].Broadcast(p) : 0));
        return [y, mean, reciprocal];
    }

    public static Tensor BatchNormalization(GraphNode node, Tensor[] x)
    {
        double epsilon = node.Attributes.NumberOr("epsilon", 1e-5f);
        return Tensor.Make(x[0].Shape, p => ((x[0][p] - x[3][p[1]]) / Math.Sqrt(x[4][p[1]] + epsilon) * x[1][p[1]]) + x[2][p[1]]);
    }

    /// <summary>A function of the elements along some dimensions, which stay as 1.</summary>
    private static Tensor Over(Tensor x, HashSet<int> axes, Func<IReadOnlyList<double>, double> function)
    {
        Tensor kept = Tensor.Zeros([.. x.Shape.Select((d, i) => axes.Contains(i) ? 1 : d)]);
        Dictionary<int, List<double>> groups = [];
        for (int i = 0; i < x.Length; i++)
        {
            int[] position = [.. Tensor.Position(i, x.Shape).Select((p, axis) => axes.Contains(axis) ? 0 : p)];
            int group = kept.Flat(position);
            groups.TryAdd(group, []);
            groups[group].Add(x.Values[i]);
        }

        foreach ((int group, List<double> members) in groups)
        {
            kept.Values[group] = function(members);
        }

        return kept;
    }

    private static int Axis(GraphNode node, Tensor x)
    {
        int axis = (int)node.Attributes.IntegerOr("axis", -1);
        return axis < 0 ? axis + x.Rank : axis;
    }
}
