using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Reference;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Gradients;

/// <summary>Gradients of graphs whose batch is only known in a run equal those of the same graph with a known batch.</summary>
public sealed class SymbolicBatchTests
{
    private const int Batch = 5;

    /// <summary>Each from x [N, 3, 4], a matrix w [4, 4] and a vector v [4] to any tensor.</summary>
    private static readonly Dictionary<string, Func<GraphBuilder, GraphValue, GraphValue, GraphValue, GraphValue>> s_graphs = new(StringComparer.Ordinal)
    {
        ["product"] = (g, x, w, v) => g.Node("Add", g.Node("MatMul", x, w), v),
        ["row times batch"] = (g, x, w, v) => g.Node("MatMul", g.Node("MatMul", x, w), v),
        ["mean of everything"] = (g, x, w, v) => g.Node("ReduceMean", Keep(0), g.Node("Mul", g.Node("MatMul", x, w), v)),
        ["mean of the batch"] = (g, x, w, v) => g.Node("ReduceMean", Keep(1), g.Node("Mul", g.Node("MatMul", x, w), v), g.Int64Vector(0, -1)),
        ["sum of the batch"] = (g, x, w, v) => g.Node("ReduceSum", Keep(0), g.Node("Mul", g.Node("MatMul", x, w), v), g.Int64Vector(0)),
        ["maximum of the batch"] = (g, x, w, v) => g.Node("ReduceMax", Keep(0), g.Node("Mul", g.Node("MatMul", x, w), v), g.Int64Vector(0)),
        ["layer normalization"] = (g, x, w, v) => g.Node("LayerNormalization", g.Node("MatMul", x, w), v),
        ["layer normalization written out"] = WrittenOut,
        ["attention"] = (g, x, w, v) =>
        {
            GraphValue query = g.Node("Mul", g.Node("MatMul", x, w), v);
            GraphValue scores = g.Node("MatMul", query, g.Node("Transpose", NodeAttributes.None.With("perm", [0, 2, 1]), x));
            return g.Node("MatMul", g.Node("Softmax", scores), x);
        },
        ["a row for every example"] = (g, x, w, v) => g.Node("Max", g.Node("MatMul", x, w), v),
    };

    public static TheoryData<string> Names => [.. s_graphs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Append_SymbolicBatch_GivesTheGradientsOfAKnownOne(string name)
    {
        Dictionary<string, Tensor> feeds = new()
        {
            ["x"] = GradientCheck.Random(Batch, 3, 4),
            ["w"] = GradientCheck.Random(4, 4),
            ["v"] = GradientCheck.Random(4),
        };
        IReadOnlyDictionary<string, Tensor> expected = OnnxRuntimeRun.Run(Build(name, Batch), feeds);
        IReadOnlyDictionary<string, Tensor> actual = OnnxRuntimeRun.Run(Build(name, Dimension.Batch), feeds);
        foreach ((string output, Tensor value) in expected)
        {
            GradientCheck.Same(value, actual[output], 1e-5, output);
        }
    }

    /// <summary>Outputs <c>loss</c>, the sum of squares, and the gradients of x, w and v.</summary>
    private static GraphBuilder Build(string name, Dimension batch)
    {
        GraphBuilder graph = new("g");
        GraphValue[] inputs =
        [
            graph.Input("x", DataType.Float, TensorShape.Of(batch, 3, 4)),
            graph.Input("w", DataType.Float, TensorShape.Of(4, 4)),
            graph.Input("v", DataType.Float, TensorShape.Of(4)),
        ];
        GraphValue loss = graph.Node("ReduceSumSquare", Keep(0), s_graphs[name](graph, inputs[0], inputs[1], inputs[2]));
        IReadOnlyList<GraphValue> gradients = GradientBuilder.Append(graph, loss, inputs);
        graph.Output("loss", loss);
        for (int i = 0; i < inputs.Length; i++)
        {
            graph.Output($"gradient/{inputs[i].Name}", gradients[i]);
        }

        graph.DropDeadNodes();
        return graph;
    }

    /// <summary>As exporters write LayerNormalization before operator set 17.</summary>
    private static GraphValue WrittenOut(GraphBuilder g, GraphValue x, GraphValue w, GraphValue v)
    {
        GraphValue product = g.Node("MatMul", x, w);
        GraphValue centered = g.Node("Sub", product, g.Node("ReduceMean", product, g.Int64Vector(-1)));
        GraphValue variance = g.Node("ReduceMean", g.Node("Pow", centered, g.Scalar(DataType.Float, 2)), g.Int64Vector(-1));
        GraphValue deviation = g.Node("Sqrt", g.Node("Add", variance, g.Scalar(DataType.Float, 1e-5)));
        return g.Node("Mul", g.Node("Div", centered, deviation), v);
    }

    private static NodeAttributes Keep(long keep) => NodeAttributes.None.With("keepdims", keep);
}
