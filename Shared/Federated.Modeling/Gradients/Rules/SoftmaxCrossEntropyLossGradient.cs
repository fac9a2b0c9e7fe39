using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Mean over the batch of −log softmax(scores)[label], scores [N, classes], labels int64 [N]: the scores get (softmax − one-hot) / N. Rows whose
/// label is <c>ignore_index</c> get nothing, and N does not count them. Uses the log-probabilities the forward node gives. Weights and other
/// reductions are refused.
/// </summary>
internal sealed class SoftmaxCrossEntropyLossGradient : IGradientRule
{
    public string OperatorType => "SoftmaxCrossEntropyLoss";

    public void Backward(GradientContext context)
    {
        GraphBuilder graph = context.Graph;
        GraphNode node = context.Node;
        RefuseUnsupported(node);
        if (context.Gradient(1) is not null)
        {
            throw node.Refuse("the loss depends on its log-probabilities too; gradients pass through its first output only");
        }

        GraphValue labels = node.Input(1);
        GraphValue logProbabilities = context.RequireOutput(1);
        DataType type = logProbabilities.ElementType;
        bool ignores = node.Attributes.Has("ignore_index");
        (GraphValue? mask, GraphValue batch) = ignores
            ? LossLowering.Counted(graph, node, type)
            : (null, graph.Node("Cast", NodeAttributes.None.With("to", (long)type), graph.Node("Size", labels)));
        GraphValue probabilities = graph.Node("Exp", logProbabilities);
        GraphValue depth = graph.Int64Vector(logProbabilities.Shape[1].Size);
        GraphValue offOn = graph.Constant(TensorContent.Floating(type, [0, 1], [2]));
        GraphValue expected = graph.Node("OneHot", mask is null ? labels : LossLowering.Indices(graph, node, mask), depth, offOn);
        GraphValue weight = mask is null ? batch : graph.Node("Unsqueeze", graph.Node("Div", mask, batch), graph.Int64Vector(1));
        GraphValue perExample = graph.Node(mask is null ? "Div" : "Mul", graph.Node("Sub", probabilities, expected), weight);
        context.Accumulate(0, context.OutputGradient.IsOne() ? perExample : graph.Node("Mul", perExample, context.OutputGradient));
    }

    private static void RefuseUnsupported(GraphNode node)
    {
        if (node.OptionalInput(2) is not null)
        {
            throw node.Refuse("class weights (input 2) are not supported");
        }

        string reduction = node.Attributes.TextOr("reduction", "mean");
        if (reduction != "mean")
        {
            throw node.Refuse($"attribute 'reduction' is '{reduction}'; 'mean' is supported");
        }
    }
}
