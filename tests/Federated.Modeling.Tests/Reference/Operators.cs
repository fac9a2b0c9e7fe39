using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Reference;

/// <summary>One plain definition an operator, as the ONNX specification words it.</summary>
internal static class Operators
{
    public static IReadOnlyList<Tensor> Run(GraphNode node, Tensor[] x) => node.OperatorType switch
    {
        "Add" => [Binary(x[0], x[1], (a, b) => a + b)],
        "Sub" => [Binary(x[0], x[1], (a, b) => a - b)],
        "Mul" => [Binary(x[0], x[1], (a, b) => a * b)],
        "Div" => [Binary(x[0], x[1], (a, b) => a / b)],
        "Pow" => [Binary(x[0], x[1], Math.Pow)],
        "Max" => [x.Aggregate((a, b) => Binary(a, b, Math.Max))],
        "Min" => [x.Aggregate((a, b) => Binary(a, b, Math.Min))],
        "Clip" => [Clip(x)],
        "Equal" => [Binary(x[0], x[1], (a, b) => a == b ? 1 : 0)],
        "Greater" => [Binary(x[0], x[1], (a, b) => a > b ? 1 : 0)],
        "GreaterOrEqual" => [Binary(x[0], x[1], (a, b) => a >= b ? 1 : 0)],
        "Less" => [Binary(x[0], x[1], (a, b) => a < b ? 1 : 0)],
        "LessOrEqual" => [Binary(x[0], x[1], (a, b) => a <= b ? 1 : 0)],
        "And" => [Binary(x[0], x[1], (a, b) => a * b)],
        "Or" => [Binary(x[0], x[1], Math.Max)],
        "Xor" => [Binary(x[0], x[1], (a, b) => a != b ? 1 : 0)],
        "Not" => [Unary(x[0], a => 1 - a)],
        "IsNaN" => [Unary(x[0], a => double.IsNaN(a) ? 1 : 0)],
        "Where" => [Where(x[0], x[1], x[2])],
        "Identity" => [x[0]],
        "Cast" => [(DataType)node.Attributes.IntegerOr("to", 0) switch
        {
            DataType.Bool => Unary(x[0], a => a != 0 ? 1 : 0),
            DataType.Int64 or DataType.Int32 => Unary(x[0], Math.Truncate),
            _ => x[0],
        }],
        "MatMul" => [MatMul(x[0], x[1])],
        "Gemm" => [Gemm(node, x)],
        "Reshape" => [Reshape(x[0], [.. x[1].Values.Select(v => (int)v)], node.Attributes.IntegerOr("allowzero", 0) == 0)],
        "Flatten" => [Flatten(x[0], (int)node.Attributes.IntegerOr("axis", 1))],
        "Transpose" => [Transpose(x[0], node.Attributes.Integers("perm"))],
        "Unsqueeze" => [Unsqueeze(x[0], x[1])],
        "Shape" => [ShapeOf(node, x[0])],
        "Size" => [Tensor.Scalar(x[0].Length)],
        "OneHot" => [OneHot(x[0], x[1], x[2])],
        "ArgMax" => [Tensor.Make([x[0].Shape[0]], p => Enumerable.Range(0, x[0].Shape[1]).MaxBy(c => x[0][p[0], c]))],
        "BatchNormalization" => [Reductions.BatchNormalization(node, x)],
        "LayerNormalization" => Reductions.LayerNormalization(node, x),
        "LogSoftmax" => [Reductions.LogSoftmax(node, x[0])],
        "Softmax" => [Reductions.Softmax(node, x[0])],
        "SoftmaxCrossEntropyLoss" => CrossEntropy(node, x[0], x[1]),
        "Conv" => [Convolution.Conv(node, x)],
        "ConvTranspose" => [Convolution.ConvTranspose(node, x)],
        "AveragePool" => [Pooling.AveragePool(node, x[0])],
        "GlobalAveragePool" => [Pooling.Global(x[0], v => v.Average())],
        "GlobalMaxPool" => [Pooling.Global(x[0], v => v.Max())],
        "MaxPool" => Pooling.MaxPool(node, x[0]),
        "MaxUnpool" => [Pooling.MaxUnpool(x[0], x[1], x[2])],
        _ when Elementwise.Of(node) is { } function => [Unary(x[0], function)],
        _ when Reductions.Of(node) is { } function => [Reductions.Reduce(node, x, function)],
        _ => Layout.Run(node, x),
    };

    private static Tensor ShapeOf(GraphNode node, Tensor x)
    {
        int start = (int)node.Attributes.IntegerOr("start", 0);
        int end = (int)Math.Min(node.Attributes.IntegerOr("end", x.Rank), x.Rank);
        int[] part = x.Shape[(start < 0 ? start + x.Rank : start)..(end < 0 ? end + x.Rank : end)];
        return new Tensor([.. part.Select(d => (double)d)], [part.Length]);
    }

    private static Tensor Unary(Tensor x, Func<double, double> f) => new([.. x.Values.Select(f)], x.Shape);

    private static int[] Common(int[] a, int[] b)
    {
        int rank = Math.Max(a.Length, b.Length);
        return [.. Enumerable.Range(0, rank).Select(i => Math.Max(At(a, i - rank + a.Length), At(b, i - rank + b.Length)))];
        static int At(int[] shape, int i) => i < 0 ? 1 : shape[i];
    }

    private static Tensor Binary(Tensor a, Tensor b, Func<double, double, double> f) =>
        Tensor.Make(Common(a.Shape, b.Shape), p => f(a.Broadcast(p), b.Broadcast(p)));

    private static Tensor Where(Tensor c, Tensor a, Tensor b) =>
        Tensor.Make(Common(c.Shape, Common(a.Shape, b.Shape)), p => c.Broadcast(p) != 0 ? a.Broadcast(p) : b.Broadcast(p));

    private static Tensor Clip(Tensor[] x)
    {
        double low = x.ElementAtOrDefault(1)?.Values[0] ?? double.NegativeInfinity;
        double high = x.ElementAtOrDefault(2)?.Values[0] ?? double.PositiveInfinity;
        return Unary(x[0], v => Math.Min(Math.Max(v, low), high));
    }

    private static Tensor MatMul(Tensor a, Tensor b)
    {
        if (a.Rank == 1)
        {
            Tensor row = MatMul(new Tensor(a.Values, [1, .. a.Shape]), b);
            return new Tensor(row.Values, b.Rank == 1 ? [] : [.. row.Shape[..^2], row.Shape[^1]]);
        }

        if (b.Rank == 1)
        {
            Tensor column = MatMul(a, new Tensor(b.Values, [.. b.Shape, 1]));
            return new Tensor(column.Values, column.Shape[..^1]);
        }

        int[] batch = Common(a.Shape[..^2], b.Shape[..^2]);
        int inner = a.Shape[^1];
        return Tensor.Make([.. batch, a.Shape[^2], b.Shape[^1]], p =>
        {
            double sum = 0;
            for (int k = 0; k < inner; k++)
            {
                sum += a.Broadcast([.. p[..^1], k]) * b.Broadcast([.. p[..^2], k, p[^1]]);
            }

            return sum;
        });
    }

    private static Tensor Gemm(GraphNode node, Tensor[] x)
    {
        Tensor a = node.Attributes.IntegerOr("transA", 0) != 0 ? Transpose(x[0], null) : x[0];
        Tensor b = node.Attributes.IntegerOr("transB", 0) != 0 ? Transpose(x[1], null) : x[1];
        Tensor product = Unary(MatMul(a, b), v => v * node.Attributes.NumberOr("alpha", 1));
        return x.Length > 2 ? Binary(product, x[2], (v, c) => v + (c * node.Attributes.NumberOr("beta", 1))) : product;
    }

    private static Tensor Reshape(Tensor x, int[] target, bool zeroCopies)
    {
        int[] shape = [.. target.Select((d, i) => d == 0 && zeroCopies ? x.Shape[i] : d)];
        int known = Tensor.Count(shape.Where(d => d != -1));
        return new Tensor(x.Values, [.. shape.Select(d => d == -1 ? x.Length / known : d)]);
    }

    private static Tensor Flatten(Tensor x, int axis)
    {
        int split = axis < 0 ? axis + x.Rank : axis;
        return new(x.Values, [Tensor.Count(x.Shape[..split]), Tensor.Count(x.Shape[split..])]);
    }

    private static Tensor Transpose(Tensor x, IReadOnlyList<long>? perm)
    {
        int[] order = perm is null ? [.. Enumerable.Range(0, x.Rank).Reverse()] : [.. perm.Select(p => (int)p)];
        return Tensor.Make([.. order.Select(o => x.Shape[o])], p =>
        {
            int[] source = new int[x.Rank];
            for (int i = 0; i < x.Rank; i++)
            {
                source[order[i]] = p[i];
            }

            return x[source];
        });
    }

    private static Tensor Unsqueeze(Tensor x, Tensor axes)
    {
        List<int> shape = [.. x.Shape];
        int rank = x.Rank + axes.Length;
        foreach (double axis in axes.Values.Select(a => a < 0 ? a + rank : a).Order())
        {
            shape.Insert((int)axis, 1);
        }

        return new Tensor(x.Values, [.. shape]);
    }

    private static Tensor OneHot(Tensor labels, Tensor depth, Tensor offOn) => Tensor.Make(
        [.. labels.Shape, (int)depth.Values[0]], p => offOn.Values[labels[p.AsSpan(0, p.Length - 1)] == p[^1] ? 1 : 0]);

    private static IReadOnlyList<Tensor> CrossEntropy(GraphNode node, Tensor scores, Tensor labels)
    {
        Tensor log = Reductions.LogSoftmax(node, scores);
        return [Tensor.Scalar(-Enumerable.Range(0, labels.Length).Average(n => log[n, (int)labels[n]])), log];
    }
}
