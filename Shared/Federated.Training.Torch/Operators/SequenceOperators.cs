using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>Operators that make sequences, masks and constants, or follow an axis.</summary>
internal static class SequenceOperators
{
    /// <summary>The running sum along an axis.</summary>
    public static TorchOperator CumSum(GraphNode node)
    {
        long axis = ConstantInputs.Read(node, 1, "the axis")[0];
        bool reverse = node.Attributes.IntegerOr("reverse", 0) != 0;
        bool exclusive = node.Attributes.IntegerOr("exclusive", 0) != 0;
        return inputs =>
        {
            Tensor x = inputs[0]!;
            Tensor sum = reverse ? x.flip(axis).cumsum(axis).flip(axis) : x.cumsum(axis);
            return exclusive ? sum - x : sum;
        };
    }

    /// <summary>The upper or lower triangle of each matrix.</summary>
    public static TorchOperator Trilu(GraphNode node)
    {
        long diagonal = node.OptionalInput(1) is null ? 0 : ConstantInputs.Read(node, 1, "the diagonal")[0];
        bool upper = node.Attributes.IntegerOr("upper", 1) != 0;
        return inputs => upper ? inputs[0]!.triu(diagonal) : inputs[0]!.tril(diagonal);
    }

    /// <summary>From a number up to another, in steps.</summary>
    public static TorchOperator Range(GraphNode node) => inputs =>
        inputs[0]!.dtype == ScalarType.Int64
            ? arange(inputs[0]!.item<long>(), inputs[1]!.item<long>(), inputs[2]!.item<long>(), ScalarType.Int64, inputs[0]!.device)
            : throw node.Refuse($"elements of {node.Input(0).ElementType}; the torch engine counts in Int64");

    /// <summary>One value everywhere.</summary>
    public static TorchOperator ConstantOfShape(GraphNode node)
    {
        TensorProto value = node.Attributes.Tensor("value") ?? TensorContent.Floating(TensorProto.Types.DataType.Float, [0], [1]);
        Func<IReadOnlyList<Tensor?>, long[]> shape = ConstantInputs.ReadOrRun(node, 0);
        return inputs =>
        {
            using Tensor one = ElementTypes.ToTensor(value, inputs[0]!.device);
            return one.reshape(1).expand(shape(inputs)).clone();
        };
    }

    /// <summary>The input's shape, or the part from 'start' to 'end'.</summary>
    public static TorchOperator ShapeOf(GraphNode node)
    {
        int rank = node.Input(0).Shape.Rank;
        int start = FromFront(node.Attributes.IntegerOr("start", 0), rank);
        int end = FromFront(node.Attributes.IntegerOr("end", rank), rank);
        return inputs => tensor(inputs[0]!.shape[start..Math.Max(start, end)], device: inputs[0]!.device);
    }

    private static int FromFront(long axis, int rank) => (int)Math.Clamp(axis < 0 ? axis + rank : axis, 0, rank);
}
