using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Cases;
using Federated.Modeling.Tests.Reference;
using Federated.Shared.Randomness;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Gradients;

/// <summary>
/// Compares the gradients of a graph with central differences, both in float64 by the reference interpreter (step 1e-5, so the error of the difference
/// is about 1e-10; tolerance 1e-7 absolute or relative), then runs the same graph in float32 in ONNX Runtime (tolerance 1e-4), which shows that it is a
/// valid file.
/// </summary>
internal static class GradientCheck
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-7;
    private const double Float32Tolerance = 1e-4;

    /// <summary>Checks with respect to every operand.</summary>
    /// <param name="build">From the graph and its operands to any tensor; a random linear form makes it a scalar.</param>
    /// <param name="shapes">Of the operands.</param>
    public static void Run(Func<GraphBuilder, GraphValue[], GraphValue> build, params int[][] shapes) => Run(build, [.. shapes.Select(Random)]);

    /// <summary>Checks at given operands.</summary>
    public static void Run(Func<GraphBuilder, GraphValue[], GraphValue> build, Tensor[] operands)
    {
        (GraphBuilder graph, IReadOnlyList<GraphValue> gradients, GraphValue loss) = Build(DataType.Double, build, operands, false);
        IReadOnlyDictionary<GraphValue, Tensor> run = Interpreter.Run(graph, Feeds(operands));
        (GraphBuilder forward, _, GraphValue forwardLoss) = Build(DataType.Double, build, operands, true);
        for (int i = 0; i < operands.Length; i++)
        {
            Tensor gradient = run[gradients[i]];
            Assert.Equal(operands[i].Shape, gradient.Shape);
            for (int j = 0; j < gradient.Length; j++)
            {
                double expected = (LossAt(+Step) - LossAt(-Step)) / (2 * Step);
                Close(expected, gradient.Values[j], Tolerance, $"operand {i}, element {j}");

                double LossAt(double step)
                {
                    Tensor[] moved = [.. operands];
                    moved[i] = operands[i] with { Values = [.. operands[i].Values] };
                    moved[i].Values[j] += step;
                    return Interpreter.Run(forward, Feeds(moved))[forwardLoss].Values[0];
                }
            }
        }

        (GraphBuilder single, IReadOnlyList<GraphValue> singleGradients, GraphValue singleLoss) = Build(DataType.Float, build, operands, false);
        single.Output("loss", singleLoss);
        for (int i = 0; i < singleGradients.Count; i++)
        {
            single.Output($"gradient/{i}", singleGradients[i]);
        }

        single.DropDeadNodes();
        IReadOnlyDictionary<string, Tensor> actual = OnnxRuntimeRun.Run(single, Feeds(operands));
        Same(run[loss], actual["loss"], Float32Tolerance * 10, "loss in ONNX Runtime");
        for (int i = 0; i < operands.Length; i++)
        {
            Same(run[gradients[i]], actual[$"gradient/{i}"], Float32Tolerance, $"gradient {i} in ONNX Runtime");
        }
    }

    /// <summary>The gradients of a random linear form of the result, in float64.</summary>
    public static IReadOnlyList<Tensor> Gradients(Func<GraphBuilder, GraphValue[], GraphValue> build, Tensor[] operands)
    {
        (GraphBuilder graph, IReadOnlyList<GraphValue> gradients, _) = Build(DataType.Double, build, operands, false);
        IReadOnlyDictionary<GraphValue, Tensor> run = Interpreter.Run(graph, Feeds(operands));
        return [.. gradients.Select(g => run[g])];
    }

    public static void Same(Tensor expected, Tensor actual, double tolerance, string what)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        for (int i = 0; i < expected.Length; i++)
        {
            Close(expected.Values[i], actual.Values[i], tolerance, $"{what}, element {i}");
        }
    }

    public static Tensor Random(params int[] shape)
    {
        SeededGenerator generator = SeededGenerator.For(7, "operand", 0, string.Join('x', shape));
        return Tensor.Make(shape, _ => generator.NextGaussian());
    }

    private static (GraphBuilder Graph, IReadOnlyList<GraphValue> Gradients, GraphValue Loss) Build(
        DataType type, Func<GraphBuilder, GraphValue[], GraphValue> build, Tensor[] operands, bool forwardOnly)
    {
        GraphBuilder graph = new("check");
        GraphValue[] inputs = [.. operands.Select((o, i) => graph.Input($"x{i}", type, TensorShape.OfSizes(o.Shape.Select(d => (long)d))))];
        GraphValue loss = OperatorInstance.LinearForm(graph, build(graph, inputs));
        if (forwardOnly)
        {
            return (graph, [], loss);
        }

        IReadOnlyList<GraphValue> gradients = GradientBuilder.Append(graph, loss, inputs);
        LossLowering.Apply(graph);
        return (graph, gradients, loss);
    }

    private static Dictionary<string, Tensor> Feeds(Tensor[] operands) =>
        operands.Select((o, i) => ($"x{i}", o)).ToDictionary(p => p.Item1, p => p.o);

    private static void Close(double expected, double actual, double tolerance, string what) => Assert.True(
        Math.Abs(expected - actual) <= tolerance * Math.Max(1, Math.Abs(expected)), $"{what}: expected {expected:R}, got {actual:R}.");
}
