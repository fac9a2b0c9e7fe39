using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Quantization;
using Federated.Shared.Models;

namespace Federated.Modeling.Costs;

/// <summary>What one step of training asks of a device, read off the graph that it runs: nothing is run.</summary>
/// <param name="Flops">Floating-point operations, a multiply-add counted as two.</param>
/// <param name="ProductFlops">Those of matrix products and convolutions.</param>
/// <param name="BytesMoved">Bytes that nodes read and write, each node's inputs and outputs once.</param>
/// <param name="OtherBytes">Those of nodes that are no products.</param>
/// <param name="Nodes">Nodes that are run.</param>
/// <param name="FrozenBytes">Memory of the frozen weights: what is mapped, and what the engine packs of it.</param>
/// <param name="ActivationBytes">Most bytes of intermediate results that live at once, in the file's order.</param>
public sealed record StepCost(double Flops, double ProductFlops, double BytesMoved, double OtherBytes, int Nodes, double FrozenBytes, double ActivationBytes)
{
    /// <summary>Reads a package's gradient graph.</summary>
    /// <param name="package">With its gradient graph and frozen weights.</param>
    /// <param name="batch">Examples a step.</param>
    /// <exception cref="ArgumentException">The batch is not positive, or the package has no gradient graph.</exception>
    /// <exception cref="OnnxFormatException">A shape is not known even with the batch.</exception>
    public static StepCost Of(ModelPackage package, int batch)
    {
        ArgumentNullException.ThrowIfNull(package);
        return Of(package, package.GradientGraph, "gradient", batch);
    }

    /// <summary>One pass that gives the loss alone, read off a package's evaluation graph: a step along a seeded direction takes two.</summary>
    /// <param name="package">With its evaluation graph and frozen weights.</param>
    /// <param name="batch">Examples a pass.</param>
    /// <exception cref="ArgumentException">The batch is not positive, or the package has no evaluation graph.</exception>
    /// <exception cref="OnnxFormatException">A shape is not known even with the batch.</exception>
    public static StepCost OfLoss(ModelPackage package, int batch)
    {
        ArgumentNullException.ThrowIfNull(package);
        return Of(package, package.EvaluationGraph, "evaluation", batch);
    }

    /// <summary>The same pass run twice: twice the work in the same memory.</summary>
    public StepCost Twice() =>
        this with { Flops = 2 * Flops, ProductFlops = 2 * ProductFlops, BytesMoved = 2 * BytesMoved, OtherBytes = 2 * OtherBytes, Nodes = 2 * Nodes };

    private static StepCost Of(ModelPackage package, byte[] content, string kind, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (content.Length == 0)
        {
            throw new ArgumentException($"Package '{package.Manifest.Name}' has no {kind} graph, so nothing can be told of its cost.", nameof(package));
        }

        ModelProto model = OnnxFile.Read(content);

        // Nobody fetches the scores while a device trains: they are an intermediate result like any other.
        foreach (ValueInfoProto scores in model.Graph.Output.Where(o => o.Name == PackageManifest.ScoresOutput).ToList())
        {
            _ = model.Graph.Output.Remove(scores);
        }

        ExternalWeights.Embed(model, _ => package.FrozenWeights);
        QuantizedBase.Widen(model);
        foreach (TensorShapeProto.Types.Dimension dimension in model.Graph.Input.SelectMany(i => i.Type.TensorType.Shape.Dim).Where(d => d.DimParam.Length > 0))
        {
            dimension.DimValue = batch;
        }

        GraphBuilder graph = GraphFile.FromModel(model);
        (double flops, double products, double bytes, double others) = (0, 0, 0, 0);
        foreach (GraphNode node in graph.Nodes)
        {
            if (node.Outputs.Concat(node.Inputs).OfType<GraphValue>().FirstOrDefault(v => !v.Shape.IsKnown) is { } open)
            {
                throw node.Refuse($"the shape of '{open.Name}' is {open.Shape}, which the batch does not tell");
            }

            OperatorCost cost = OperatorCost.Of(node);
            flops += cost.Flops;
            bytes += cost.Bytes;
            products += cost.IsProduct ? cost.Flops : 0;
            others += cost.IsProduct ? 0 : cost.Bytes;
        }

        bool quantized = package.Manifest.BaseBits is not null;
        List<GraphNode> run = [.. graph.Nodes.Where(n => !OperatorCost.IsView(n))];
        List<GraphValue> uses = FrozenFactors(graph);
        double matrices = uses.Sum(OperatorCost.BytesOf);
        double dequantized = quantized ? matrices : 0;
        double largest = quantized ? uses.Select(OperatorCost.BytesOf).DefaultIfEmpty(0).Max() : 0;
        double mapped = package.FrozenWeights.LongLength;

        // A float32 matrix is packed for each product it is in, and its mapped pages are given back; a quantized one stays mapped and is widened anew each time.
        double frozen = quantized ? mapped + largest : matrices + Math.Max(0, mapped - uses.Distinct().Sum(OperatorCost.BytesOf));
        return new StepCost(
            flops + (dequantized / sizeof(float)), products, bytes + (1.25 * dequantized), others + (1.25 * dequantized), run.Count, frozen, ActivationLiveness.PeakBytes(graph));
    }

    // The frozen matrix of every product, as often as it is multiplied with.
    private static List<GraphValue> FrozenFactors(GraphBuilder graph) =>
        [.. graph.Nodes.Where(n => n.OperatorType is "MatMul" or "Gemm" && n.Input(1).Constant is not null && n.Input(1).Shape.Rank == 2).Select(n => n.Input(1))];
}
