using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Shapes;

/// <summary>
/// Reads a Resize that repeats every element a whole number of times: mode <c>nearest</c> with rounding that gives element i of the input for
/// i · factor to i · factor + factor − 1 of the output. Other forms are refused.
/// </summary>
public static class ResizeFactors
{
    /// <summary>How often each dimension's elements are repeated: one number, at least 1, a dimension.</summary>
    /// <exception cref="OnnxFormatException">The node interpolates, shrinks, or its sizes are not known before a run.</exception>
    public static ImmutableArray<long> Of(GraphNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        RequireText(node, "mode", "nearest", "nearest");
        RequireText(node, "keep_aspect_ratio_policy", "stretch", "stretch");
        TensorShape shape = node.Input(0).Shape;
        int[] axes = [.. node.Attributes.Integers("axes")?.Select(a => Axes.Normalize(node, a, shape.Rank)) ?? Enumerable.Range(0, shape.Rank)];
        double[] scales = node.OptionalInput(2) is { Content.Elements.Length: > 0 } ? Scales(node) : SizeRatios(node, axes);
        long[] factors = [.. Enumerable.Repeat(1L, shape.Rank)];
        if (scales.Length != axes.Length || scales.Any(s => s < 1 || s != Math.Floor(s) || s > int.MaxValue))
        {
            throw node.Refuse($"the scales [{string.Join(", ", scales)}] of {shape} are not whole numbers of at least 1, one for each of {axes.Length} dimensions");
        }

        for (int i = 0; i < axes.Length; i++)
        {
            factors[axes[i]] = (long)scales[i];
        }

        RequireRepetition(node, factors.Max());
        return [.. factors];
    }

    /// <summary>Output i lies at i / factor (asymmetric) or (i + 0.5) / factor − 0.5 (half_pixel); rounding must give i / factor rounded down.</summary>
    private static void RequireRepetition(GraphNode node, long factor)
    {
        string coordinates = node.Attributes.TextOr("coordinate_transformation_mode", "half_pixel");
        string rounding = node.Attributes.TextOr("nearest_mode", "round_prefer_floor");
        bool repeats = factor == 1 || (coordinates, rounding) switch
        {
            ("asymmetric", "floor") => true,
            ("asymmetric", "round_prefer_floor") => factor == 2,
            ("half_pixel" or "half_pixel_symmetric" or "pytorch_half_pixel", "round_prefer_floor" or "round_prefer_ceil") => true,
            _ => false,
        };
        if (!repeats)
        {
            throw node.Refuse(
                $"attributes 'coordinate_transformation_mode' '{coordinates}' and 'nearest_mode' '{rounding}' do not repeat elements {factor} times; "
                + "asymmetric with floor, and half_pixel with round_prefer_floor, are supported");
        }
    }

    private static double[] Scales(GraphNode node) => node.Input(2).Content is { IsFloating: true } content
        ? [.. content.Elements.Select(e => e.Number)]
        : throw node.Refuse("input 2, the scales, must be known before a run");

    private static double[] SizeRatios(GraphNode node, int[] axes)
    {
        TensorShape shape = node.Input(0).Shape;
        TensorShape sizes = Axes.Shape(node, 3);
        return sizes.Rank != axes.Length ? [] :
        [
            .. axes.Select((axis, i) => DimensionProduct.Of(sizes[i]).DividedBy(DimensionProduct.Of(shape[axis]))?.ToDimension() is { IsSymbolic: false } factor
                ? factor.Size
                : throw node.Refuse($"size {sizes[i]} is no multiple of dimension {axis} of {shape}")),
        ];
    }

    private static void RequireText(GraphNode node, string attribute, string defaultValue, string supported)
    {
        string value = node.Attributes.TextOr(attribute, defaultValue);
        if (value != supported)
        {
            throw node.Refuse($"attribute '{attribute}' is '{value}'; '{supported}' is supported");
        }
    }
}
