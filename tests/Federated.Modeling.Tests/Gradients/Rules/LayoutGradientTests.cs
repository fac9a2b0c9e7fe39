using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Gradients.Rules;

public sealed class LayoutGradientTests
{
    [Theory]
    [InlineData(0, new long[] { 1, 0, 1, -1 }, new long[] { 4 })]
    [InlineData(0, new long[] { 1, 2, 2, 0 }, new long[] { 2, 2 })]
    [InlineData(1, new long[] { 0, 3, -2 }, new long[] { 3 })]
    [InlineData(-1, new long[] { 1, 1, 0, 1 }, new long[] { 2, 2 })]
    [InlineData(0, new long[] { 2 }, new long[] { })]
    [InlineData(1, new long[] { -1 }, new long[] { })]
    [InlineData(2, new long[] { 0 }, new long[] { 1 })]
    [InlineData(1, new long[] { 3 }, new long[] { 1, 1 })]
    public void Gather_AnyAxis_MatchesDifferences(int axis, long[] indices, long[] shape) => GradientCheck.Run(
        (g, x) => g.Node("Gather", NodeAttributes.None.With("axis", axis), x[0], g.Constant(TensorContent.Integers(indices, shape))), [3, 4, 2]);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void GatherElements_AnyAxis_MatchesDifferences(int axis) => GradientCheck.Run(
        (g, x) => g.Node("GatherElements", NodeAttributes.None.With("axis", axis), x[0], g.Constant(TensorContent.Integers([0, 1, 1, -1, 0, 0], [2, 3]))),
        [2, 3]);

    [Theory]
    [InlineData(new long[] { 1 }, new long[] { 3 }, new long[] { 0 }, new long[] { 1 })]
    [InlineData(new long[] { 0, 1 }, new long[] { long.MaxValue, -1 }, new long[] { 0, 1 }, new long[] { 2, 1 })]
    [InlineData(new long[] { -1 }, new long[] { long.MinValue }, new long[] { -1 }, new long[] { -1 })]
    [InlineData(new long[] { 4, -2 }, new long[] { 0, 0 }, new long[] { 0, 2 }, new long[] { -3, -2 })]
    [InlineData(new long[] { -3 }, new long[] { 100 }, new long[] { 1 }, new long[] { 3 })]
    [InlineData(new long[] { 4 }, new long[] { -100 }, new long[] { 0 }, new long[] { -2 })]
    public void Slice_AnySteps_MatchesDifferences(long[] starts, long[] ends, long[] axes, long[] steps) => GradientCheck.Run(
        (g, x) => g.Node("Slice", x[0], g.Int64Vector(starts), g.Int64Vector(ends), g.Int64Vector(axes), g.Int64Vector(steps)), [5, 4, 3]);

    [Fact]
    public void Slice_BeforeASymbolicBatchOnly_KeepsTheBatch()
    {
        GraphBuilder graph = new("g");
        GraphValue x = graph.Input("x", DataType.Float, TensorShape.Of(Dimension.Batch, 4));
        GraphValue y = graph.Node("Slice", x, graph.Int64Vector(0, 1), graph.Int64Vector(long.MaxValue, 3));
        Assert.Equal(TensorShape.Of(Dimension.Batch, 2), y.Shape);
    }

    [Theory]
    [InlineData(0, new[] { 2, 3 }, new[] { 1, 3 }, new[] { 4, 3 })]
    [InlineData(-1, new[] { 2, 3 }, new[] { 2, 1 }, new[] { 2, 2 })]
    public void Concat_AnyAxis_MatchesDifferences(int axis, int[] a, int[] b, int[] c) =>
        GradientCheck.Run((g, x) => g.Node("Concat", NodeAttributes.None.With("axis", axis), x), a, b, c);

    [Theory]
    [InlineData(0, 2, null)]
    [InlineData(1, 3, null)]
    [InlineData(-1, 3, new long[] { 1, 0, 4 })]
    public void Split_SomePartsUsed_MatchesDifferences(int axis, int count, long[]? sizes) => GradientCheck.Run(
        (g, x) =>
        {
            NodeAttributes attributes = NodeAttributes.None.With("axis", axis);
            GraphNode split = sizes is null
                ? g.Append("Split", "Split", attributes.With("num_outputs", count), [x[0]], count)
                : g.Append("Split", "Split", attributes, [x[0], g.Int64Vector(sizes)], count);
            return g.Node("MatMul", Flat(g, split.Outputs[0]!, 1), Flat(g, split.Outputs[0]!, -1));
        },
        [4, 5]);

    [Theory]
    [InlineData(new[] { 2, 6 }, new long[] { 3, 4 }, 0)]
    [InlineData(new[] { 2, 6 }, new long[] { 0, 2, -1 }, 0)]
    [InlineData(new[] { 2, 6 }, new long[] { -1, 3 }, 1)]
    public void Reshape_AnyTarget_MatchesDifferences(int[] shape, long[] target, int allowZero) =>
        GradientCheck.Run((g, x) => g.Node("Reshape", NodeAttributes.None.With("allowzero", allowZero), x[0], g.Int64Vector(target)), shape);

    [Theory]
    [InlineData(null)]
    [InlineData(new long[] { 1 })]
    [InlineData(new long[] { -1, 1 })]
    public void Squeeze_AnyAxes_MatchesDifferences(long[]? axes) =>
        GradientCheck.Run((g, x) => axes is null ? g.Node("Squeeze", x[0]) : g.Node("Squeeze", x[0], g.Int64Vector(axes)), [2, 1, 3, 1]);

    [Theory]
    [InlineData(new long[] { 0 })]
    [InlineData(new long[] { -1, 1 })]
    public void Unsqueeze_AnyAxes_MatchesDifferences(long[] axes) =>
        GradientCheck.Run((g, x) => g.Node("Unsqueeze", x[0], g.Int64Vector(axes)), [2, 3]);

    [Theory]
    [InlineData(new[] { 3, 1 }, new long[] { 2, 3, 4 })]
    [InlineData(new[] { 3, 4 }, new long[] { 1 })]
    [InlineData(new[] { 1 }, new long[] { 2, 2 })]
    public void Expand_AnyTarget_MatchesDifferences(int[] shape, long[] target) =>
        GradientCheck.Run((g, x) => g.Node("Expand", x[0], g.Int64Vector(target)), shape);

    [Theory]
    [InlineData(new long[] { 2, 3 })]
    [InlineData(new long[] { 1, 2 })]
    [InlineData(new long[] { 1, 1 })]
    public void Tile_AnyRepeats_MatchesDifferences(long[] repeats) => GradientCheck.Run((g, x) => g.Node("Tile", x[0], g.Int64Vector(repeats)), [2, 3]);

    [Theory]
    [InlineData(new long[] { 1, 0, 2, 3 })]
    [InlineData(new long[] { -1, 2, 0, -1 })]
    public void Pad_AnyAmounts_MatchesDifferences(long[] pads) =>
        GradientCheck.Run((g, x) => g.Node("Pad", x[0], g.Int64Vector(pads), g.Scalar(x[0].ElementType, 5)), [3, 4]);

    [Fact]
    public void Pad_OfOneAxis_MatchesDifferences() =>
        GradientCheck.Run((g, x) => g.Node("Pad", x[0], g.Int64Vector(2, 1), null, g.Int64Vector(-1)), [3, 4]);

    [Theory]
    [InlineData(new[] { 3, 4 }, new[] { 3, 4 })]
    [InlineData(new[] { 4 }, new[] { 3, 1 })]
    public void Where_Mask_MatchesDifferences(int[] a, int[] b) => GradientCheck.Run(
        (g, x) => g.Node("Where", g.Node("Greater", x[0], g.Scalar(x[0].ElementType, 0.1)), x[0], x[1]), a, b);

    [Theory]
    [InlineData("Less", "And")]
    [InlineData("LessOrEqual", "Or")]
    [InlineData("GreaterOrEqual", "Xor")]
    public void Where_CombinedMasks_MatchesDifferences(string comparison, string combination) => GradientCheck.Run(
        (g, x) =>
        {
            GraphValue less = g.Node(comparison, x[0], x[1]);
            GraphValue mask = g.Node(combination, g.Node("Not", less), g.Node("Greater", x[0], g.Scalar(x[0].ElementType, 0)));
            return g.Node("Where", g.Node("Or", mask, g.Node("IsNaN", x[0])), x[0], x[1]);
        },
        [3, 4],
        [4]);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(-1, 0)]
    public void Trilu_AnyDiagonal_MatchesDifferences(int diagonal, int upper) => GradientCheck.Run(
        (g, x) => g.Node("Trilu", NodeAttributes.None.With("upper", upper), x[0], g.Constant(TensorContent.Integers([diagonal], []))), [2, 3, 4]);

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(-1, 1, 0)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 1, 1)]
    public void CumSum_AnyDirection_MatchesDifferences(int axis, int exclusive, int reverse) => GradientCheck.Run(
        (g, x) => g.Node(
            "CumSum", NodeAttributes.None.With("exclusive", exclusive).With("reverse", reverse), x[0], g.Constant(TensorContent.Integers([axis], []))),
        [3, 4]);

    [Theory]
    [InlineData("half_pixel", "round_prefer_floor", 3)]
    [InlineData("asymmetric", "floor", 3)]
    [InlineData("asymmetric", "round_prefer_floor", 2)]
    [InlineData("pytorch_half_pixel", "round_prefer_ceil", 2)]
    public void Resize_WholeFactors_MatchesDifferences(string coordinates, string rounding, int factor) => GradientCheck.Run(
        (g, x) => g.Node(
            "Resize",
            NodeAttributes.None.With("mode", "nearest").With("coordinate_transformation_mode", coordinates).With("nearest_mode", rounding),
            x[0],
            null,
            g.Constant(TensorContent.Floating(DataType.Float, [1, 1, factor, 1], [4]))),
        [2, 3, 2, 3]);

    [Fact]
    public void Resize_ToSizes_MatchesDifferences() => GradientCheck.Run(
        (g, x) => g.Node("Resize", NodeAttributes.None.With("mode", "nearest"), x[0], null, null, g.Int64Vector(2, 1, 4, 9)), [2, 1, 2, 3]);

    [Theory]
    [InlineData("DepthToSpace", "DCR")]
    [InlineData("DepthToSpace", "CRD")]
    [InlineData("SpaceToDepth", "")]
    public void Blocks_AnyMode_MatchesDifferences(string operatorType, string mode)
    {
        NodeAttributes attributes = NodeAttributes.None.With("blocksize", 2);
        attributes = mode.Length == 0 ? attributes : attributes.With("mode", mode);
        GradientCheck.Run((g, x) => g.Node(operatorType, attributes, x[0]), [2, 8, 2, 4]);
    }

    [Theory]
    [InlineData("Identity")]
    [InlineData("Dropout")]
    public void Same_Value_MatchesDifferences(string operatorType) => GradientCheck.Run((g, x) => g.Node(operatorType, x[0]), [2, 3]);

    [Fact]
    public void Cast_ToWholeNumbers_CutsTheGradient() => GradientCheck.Run(
        (g, x) =>
        {
            GraphValue steps = g.Node("Cast", NodeAttributes.None.With("to", (long)DataType.Int64), x[0]);
            return g.Node("Add", x[0], g.Node("CastLike", steps, x[0]));
        },
        [2, 3]);

    [Theory]
    [InlineData(DataType.Float, DataType.Double)]
    [InlineData(DataType.Double, DataType.Float)]
    public void Cast_BetweenFloatingTypes_PassesTheGradientBack(DataType from, DataType to)
    {
        GraphBuilder graph = new("g");
        GraphValue x = graph.Input("x", from, TensorShape.Scalar);
        GraphValue y = graph.Node("Cast", NodeAttributes.None.With("to", (long)to), x);
        GraphValue gradient = Assert.Single(Modeling.Gradients.GradientBuilder.Append(graph, y, [x]));
        Assert.Equal(from, gradient.ElementType);
    }

    [Theory]
    [InlineData("Pad", "mode", "wrap")]
    [InlineData("Resize", "mode", "linear")]
    [InlineData("Resize", "coordinate_transformation_mode", "align_corners")]
    [InlineData("DepthToSpace", "mode", "XYZ")]
    [InlineData("ScatterElements", "reduction", "mul")]
    public void Node_AttributeThatIsNotSupported_IsRefusedByName(string operatorType, string attribute, string value)
    {
        GraphBuilder graph = new("g");
        GraphValue x = graph.Input("x", DataType.Float, TensorShape.OfSizes([1, 4, 2, 2]));
        GraphValue scales = graph.Constant(TensorContent.Floating(DataType.Float, [1, 1, 2, 2], [4]));
        NodeAttributes attributes = NodeAttributes.None.With("blocksize", 2).With(attribute, value);
        GraphValue?[] inputs = operatorType switch
        {
            "Pad" => [x, graph.Int64Vector(0, 0, 1, 1, 0, 0, 1, 1)],
            "Resize" => [x, null, scales],
            "ScatterElements" => [x, graph.Constant(TensorContent.Integers([0], [1, 1, 1, 1])), x],
            _ => [x],
        };
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => graph.Append("the-node", operatorType, attributes, inputs, 1));
        Assert.Contains($"'the-node' ({operatorType}): attribute", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{attribute}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dropout_SwitchedOn_IsRefusedByName()
    {
        GraphBuilder graph = new("g");
        GraphValue x = graph.Input("x", DataType.Float, TensorShape.OfSizes([2]));
        TensorProto on = new() { DataType = (int)DataType.Bool, Int32Data = { 1 } };
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => graph.Node("Dropout", x, null, graph.Constant(on)));
        Assert.Contains("'Dropout' (Dropout): input 2, 'training_mode'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>All elements as a row (1) or a column (-1).</summary>
    private static GraphValue Flat(GraphBuilder graph, GraphValue value, long rows) =>
        graph.Node("Reshape", value, rows == 1 ? graph.Int64Vector(1, value.Shape.KnownProduct) : graph.Int64Vector(value.Shape.KnownProduct, 1));
}
