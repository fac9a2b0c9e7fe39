using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>Transpose: the gradient goes through the inverse permutation.</summary>
internal sealed class TransposeGradient : IGradientRule
{
    public string OperatorType => "Transpose";

    public void Backward(GradientContext context)
    {
        int rank = context.Node.Input(0).Shape.Rank;
        IReadOnlyList<long> order = context.Node.Attributes.Integers("perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(i => (long)i)];
        long[] inverse = new long[rank];
        for (int i = 0; i < rank; i++)
        {
            inverse[(int)order[i]] = i;
        }

        context.Accumulate(0, context.Graph.Node("Transpose", NodeAttributes.None.With("perm", inverse), context.OutputGradient));
    }
}
