using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Y = max(X₀, X₁, …) or min, broadcast: the gradient goes to the operand whose element was taken, in equal shares where several are equal.</summary>
internal sealed class ExtremumGradient(string operatorType) : IGradientRule
{
    public string OperatorType => operatorType;

    public void Backward(GradientContext context)
    {
        GraphValue output = context.RequireOutput(0);
        NodeAttributes toFloat = NodeAttributes.None.With("to", (long)output.ElementType);
        Term[] taken =
        [
            .. Enumerable.Range(0, context.Node.Inputs.Length).Select(i =>
                new Term(context.Graph, context.Node.Input(i)).Is(new Term(context.Graph, output)).Apply("Cast", toFloat)),
        ];
        Term share = new Term(context.Graph, context.OutputGradient) / taken.Aggregate((a, b) => a + b);
        for (int i = 0; i < taken.Length; i++)
        {
            if (context.Needs(i))
            {
                context.Accumulate(i, context.Graph.SumTo((share * taken[i]).Value, context.Node.Input(i), context.Node));
            }
        }
    }
}
