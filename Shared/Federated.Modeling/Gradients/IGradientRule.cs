namespace Federated.Modeling.Gradients;

/// <summary>
/// How gradients pass backwards through one operator. A rule is stateless: it appends nodes and hands over what each input
/// gets. It works for every element type the operator has.
/// </summary>
public interface IGradientRule
{
    /// <summary>The ONNX operator.</summary>
    string OperatorType { get; }

    /// <summary>Appends the nodes that compute the inputs' gradients from the outputs' and accumulates them in the context.</summary>
    /// <exception cref="Onnx.OnnxFormatException">The node uses an attribute or a form the rule does not support.</exception>
    void Backward(GradientContext context);
}
