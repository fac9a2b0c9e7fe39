using Federated.Modeling.Graphs;
using Federated.Modeling.Graphs.Folding;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Operators that make sequences, masks and constants, or follow an axis.</summary>
internal static class SequenceShapes
{
    /// <summary>From a constant to a constant, or from 0 to the size of symbolic dimensions in steps that divide it.</summary>
    public static InferredType[] Range(GraphNode node)
    {
        KnownElement start = One(node, 0);
        KnownElement limit = One(node, 1);
        KnownElement step = One(node, 2);
        DataType type = node.Input(0).ElementType;
        if (KnownContent.Floating(type))
        {
            double count = Math.Ceiling((limit.Number - start.Number) / step.Number);
            return count <= int.MaxValue ? [new(type, TensorShape.Of(Math.Max(0, (long)count)))] : throw node.Refuse($"the step is {step.Number}");
        }

        if (start.Symbol is not null || step.Symbol is not null || step.Integer == 0)
        {
            throw node.Refuse("the start and the step must be known before a run, and the step not 0");
        }

        if (limit.ToDimension() is { IsSymbolic: true } size)
        {
            DimensionProduct? count = start.Integer == 0 && step.Integer > 0 ? DimensionProduct.Of(size).DividedBy(DimensionProduct.Of(step.Integer)) : null;
            return [new(type, TensorShape.Of(count?.ToDimension() ?? throw node.Refuse($"how many steps of {step.Integer} lead from {start.Integer} to {size} is not known before a run")))];
        }

        long toward = Math.Sign(step.Integer);
        return [new(type, TensorShape.Of(Math.Max(0, (limit.Integer - start.Integer + step.Integer - toward) / step.Integer)))];
    }

    public static InferredType[] ConstantOfShape(GraphNode node)
    {
        TensorProto? value = node.Attributes.Tensor("value");
        return value is null || TensorShape.OfSizes(value.Dims).KnownProduct == 1
            ? [new(value is null ? DataType.Float : (DataType)value.DataType, Axes.Shape(node, 0))]
            : throw node.Refuse("attribute 'value' must hold one element");
    }

    public static InferredType[] CumSum(GraphNode node)
    {
        _ = Axes.Normalize(node, Axes.ConstantOr(node, 1, 0), node.Input(0).Shape.Rank);
        return ElementwiseShapes.Unary(node);
    }

    public static InferredType[] Trilu(GraphNode node)
    {
        _ = Axes.ConstantOr(node, 1, 0);
        return node.Input(0).Shape.Rank >= 2 ? ElementwiseShapes.Unary(node) : throw node.Refuse($"input {node.Input(0).Shape} is no matrix");
    }

    /// <summary>The places of what is not 0; how many there are must be known.</summary>
    public static InferredType[] NonZero(GraphNode node) => node.Input(0).Content is { IsComplete: true } content
        ? [new(DataType.Int64, TensorShape.Of(content.Shape.Length, content.Elements.Count(e => e.Integer != 0 || e.Number != 0)))]
        : throw node.Refuse("the input must be known before a run");

    public static InferredType[] CastLike(GraphNode node) => [new(node.Input(1).ElementType, node.Input(0).Shape)];

    public static InferredType[] Truth(GraphNode node) => [new(DataType.Bool, node.Input(0).Shape)];

    /// <summary>As inference has it: off. The mask is all true then.</summary>
    public static InferredType[] Dropout(GraphNode node) => node.OptionalInput(2) is null or { Content: { IsComplete: true, Elements: [{ Integer: 0 }] } }
        ? [new(node.Input(0).ElementType, node.Input(0).Shape), new(DataType.Bool, node.Input(0).Shape)]
        : throw node.Refuse("input 2, 'training_mode', is not false; dropout is supported switched off, so export the model for inference");

    private static KnownElement One(GraphNode node, int input) => node.Input(input).Content is { Elements: [KnownElement element] }
        ? element
        : throw node.Refuse($"input {input} ('{node.Input(input).Name}') must be one number known before a run");
}
