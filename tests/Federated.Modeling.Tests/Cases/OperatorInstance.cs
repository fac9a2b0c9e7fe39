using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Cases;

/// <summary>A graph of an operator and the operands it is differentiated with respect to.</summary>
/// <param name="Operands">All of them trainable.</param>
/// <param name="Build">From the graph and its inputs to any tensor; constants of the graph have the inputs' element type.</param>
internal sealed record OperatorInstance(Operand[] Operands, Func<GraphBuilder, GraphValue[], GraphValue> Build)
{
    /// <summary>The graph with output <c>y</c>; inputs are <c>x0</c>, <c>x1</c>, ….</summary>
    public GraphBuilder Forward(DataType type)
    {
        (GraphBuilder graph, GraphValue[] inputs) = Start(type);
        graph.Output("y", Build(graph, inputs));
        return graph;
    }

    /// <summary>The graph with outputs <c>loss</c>, a linear form of the tensor with fixed random weights, and <c>gradient/0</c>, ….</summary>
    public GraphBuilder WithGradients(DataType type)
    {
        (GraphBuilder graph, GraphValue[] inputs) = Start(type);
        GraphValue loss = LinearForm(graph, Build(graph, inputs));
        IReadOnlyList<GraphValue> gradients = GradientBuilder.Append(graph, loss, inputs);
        graph.Output("loss", loss);
        for (int i = 0; i < gradients.Count; i++)
        {
            graph.Output($"gradient/{i}", gradients[i]);
        }

        graph.DropDeadNodes();
        return graph;
    }

    /// <summary>A scalar that depends on every element; a scalar stays as it is.</summary>
    public static GraphValue LinearForm(GraphBuilder graph, GraphValue y)
    {
        if (y.Shape.Rank == 0)
        {
            return y;
        }

        long length = y.Shape.KnownProduct;
        Operand weights = SeededGenerator.For(7, "weights", 0, $"{length}").Normal((int)length, 1);
        GraphValue row = graph.Node("Reshape", y, graph.Int64Vector(1, length));
        GraphValue product = graph.Node("MatMul", row, graph.Constant(TensorContent.Floating(y.ElementType, weights.Values, [length, 1]), "weights"));
        return graph.Node("Reshape", product, graph.Constant(TensorContent.Integers([], [0])));
    }

    public override string ToString() => string.Join(' ', Operands.Select(o => $"[{string.Join(", ", o.Shape)}]"));

    private (GraphBuilder Graph, GraphValue[] Inputs) Start(DataType type)
    {
        GraphBuilder graph = new("operator");
        return (graph, [.. Operands.Select((o, i) => graph.Input($"x{i}", type, TensorShape.OfSizes(o.Shape.Select(d => (long)d))))]);
    }
}

/// <summary>Values of a tensor, row-major.</summary>
internal sealed record Operand(double[] Values, int[] Shape);
