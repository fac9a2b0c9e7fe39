using Federated.Modeling.Graphs;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Training.Torch.Operators;

/// <summary>Operators that work element by element and have attributes or optional inputs.</summary>
internal static class ElementwiseOperators
{
    /// <summary>Values between two bounds, each of which may be left out.</summary>
    public static TorchOperator Clip(GraphNode node) => inputs =>
    {
        Tensor x = inputs[0]!;
        x = inputs.Count > 1 && inputs[1] is { } low ? maximum(x, low.reshape([])) : x.alias();
        return inputs.Count > 2 && inputs[2] is { } high ? minimum(x, high.reshape([])) : x;
    };

    /// <summary>x above 0, alpha · (exp x − 1) below.</summary>
    public static TorchOperator Elu(GraphNode node)
    {
        double alpha = node.Attributes.NumberOr("alpha", 1);
        return inputs => functional.elu(inputs[0]!, alpha);
    }

    /// <summary>x · Φ(x), or its approximation with tanh.</summary>
    public static TorchOperator Gelu(GraphNode node)
    {
        if (node.Attributes.TextOr("approximate", "none") == "none")
        {
            return inputs => functional.gelu(inputs[0]!);
        }

        return inputs =>
        {
            Tensor x = inputs[0]!;
            return 0.5 * x * (1 + (Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x.pow(3)))).tanh());
        };
    }

    /// <summary>alpha · x + beta between 0 and 1.</summary>
    public static TorchOperator HardSigmoid(GraphNode node)
    {
        double alpha = node.Attributes.NumberOr("alpha", 0.2f);
        double beta = node.Attributes.NumberOr("beta", 0.5f);
        return inputs => ((inputs[0]! * alpha) + beta).clamp(0, 1);
    }

    /// <summary>x above 0, alpha · x below.</summary>
    public static TorchOperator LeakyRelu(GraphNode node)
    {
        double alpha = node.Attributes.NumberOr("alpha", 0.01f);
        return inputs => functional.leaky_relu(inputs[0]!, alpha);
    }

    /// <summary>Any number of operands, two by two.</summary>
    public static TorchOperator Fold(Func<Tensor, Tensor, Tensor> ofTwo) =>
        inputs => inputs.Skip(1).Aggregate(inputs[0]!.alias(), (a, b) => ofTwo(a, b!));
}
