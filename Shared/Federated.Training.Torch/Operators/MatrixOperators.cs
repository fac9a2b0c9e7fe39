using Federated.Modeling.Graphs;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>Products of matrices.</summary>
internal static class MatrixOperators
{
    /// <summary>alpha · A · B + beta · C, each of A and B transposed on demand; C broadcasts and may be left out.</summary>
    public static TorchOperator Gemm(GraphNode node)
    {
        float alpha = node.Attributes.NumberOr("alpha", 1);
        float beta = node.Attributes.NumberOr("beta", 1);
        bool transposeA = node.Attributes.IntegerOr("transA", 0) != 0;
        bool transposeB = node.Attributes.IntegerOr("transB", 0) != 0;
        return inputs =>
        {
            Tensor a = transposeA ? inputs[0]!.t() : inputs[0]!;
            Tensor b = transposeB ? inputs[1]!.t() : inputs[1]!;
            Tensor? c = inputs.Count > 2 ? inputs[2] : null;
            return c is not null ? addmm(c, a, b, beta, alpha) : alpha == 1 ? a.mm(b) : a.mm(b) * alpha;
        };
    }
}
