using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>
/// Y = Aᴮ: dA = dY · B · Aᴮ⁻¹ and dB = dY · Y · ln A. Where B is 0, dA is 0, and where A is 0, dB is 0, though a factor is infinite there.
/// Constant exponents that squares and roots are written with need no further power.
/// </summary>
internal static class PowGradient
{
    public static Term OfBase(ElementwisePoint p)
    {
        GraphBuilder graph = p.Context.Graph;
        Term a = p.A;
        Term gradient = p.Gradient;
        if (Constant(p.B.Value) is { } exponent)
        {
            return exponent switch
            {
                0 => gradient * 0,
                0.5 => gradient / p.Y * 0.5,
                1 => gradient,
                2 => gradient * a * 2,
                _ => gradient * a.Apply("Pow", graph.Scalar(a.Value.ElementType, exponent - 1)) * exponent,
            };
        }

        Term b = Like(p.B, a);
        return (gradient * 0).Where(b.Is(0), gradient * b * a.Apply("Pow", (b + -1).Value));
    }

    public static Term OfExponent(ElementwisePoint p)
    {
        Term gradient = p.Gradient;
        return (gradient * 0).Where(p.A.Is(0), gradient * p.Y * p.A.Apply("Log"));
    }

    private static Term Like(Term b, Term a) => b.Value.ElementType == a.Value.ElementType
        ? b
        : b.Apply("Cast", NodeAttributes.None.With("to", (long)a.Value.ElementType));

    private static double? Constant(GraphValue exponent) => exponent is { Constant: { } content, Shape.KnownProduct: 1 }
        ? (DataType)content.DataType switch
        {
            DataType.Float => TensorContent.ReadFloat(content)[0],
            DataType.Double => TensorContent.ReadDouble(content)[0],
            DataType.Int64 => TensorContent.ReadInt64(content)[0],
            _ => null,
        }
        : null;
}
