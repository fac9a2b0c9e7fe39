using Federated.Modeling.Graphs;
using Federated.Modeling.Graphs.Folding;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Another type: between floating-point types the gradient is cast back. Whole numbers and truth values are steps, whose derivative is 0 where it exists,
/// so no gradient passes them.
/// </summary>
/// <param name="operatorType">Cast or CastLike.</param>
internal sealed class CastGradient(string operatorType) : IGradientRule
{
    public string OperatorType => operatorType;

    public void Backward(GradientContext context)
    {
        GraphValue input = context.Node.Input(0);
        GraphValue gradient = context.OutputGradient;
        if (KnownContent.Floating(input.ElementType) && KnownContent.Floating(gradient.ElementType))
        {
            context.Accumulate(0, input.ElementType == gradient.ElementType
                ? gradient
                : context.Graph.Node("Cast", NodeAttributes.None.With("to", (long)input.ElementType), gradient));
        }
    }
}
