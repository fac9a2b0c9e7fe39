using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Quantization;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Lora;

/// <summary>
/// A package whose adapted weights are part of the adapter instead of the frozen weights, so that a job can merge products into them (FLoRA, Wang et al.
/// 2024, arXiv 2409.05976, section 3.2). The graphs take them as inputs; nothing else about the model changes. They are neither trained nor sent, but
/// every device downloads them anew with each version.
/// </summary>
public static class MergeablePackage
{
    /// <summary>The package with its adapted weights moved.</summary>
    /// <param name="package">A package with low-rank factors. In the result no matrix is quantized: what is merged into has to be float32.</param>
    /// <exception cref="ArgumentException">The package has no factors, or its weights are moved already.</exception>
    /// <exception cref="OnnxFormatException">A graph does not have the weights of the factors.</exception>
    public static ModelPackage Of(ModelPackage package)
    {
        ArgumentNullException.ThrowIfNull(package);
        LoraLayout layout = LoraLayout.Of(package.Manifest);
        if (layout.IsEmpty || layout.Pairs.Any(pair => pair.Base is not null))
        {
            throw new ArgumentException($"Package '{package.Manifest.Name}' has no low-rank factors, or can be merged already.", nameof(package));
        }

        ModelProto gradient = Read(package.GradientGraph, package.FrozenWeights);
        ModelProto evaluation = Read(package.EvaluationGraph, package.FrozenWeights);
        ModelProto plain = Read(package.ModelGraph, package.FrozenWeights);
        List<PackageParameter> parameters = [.. package.Manifest.Parameters];
        List<float> adapter = [.. package.InitialAdapter];
        foreach ((LoraPair pair, LoraTarget weight) in WeightsOf(evaluation, layout))
        {
            LoraFactor factor = package.Manifest.Parameters.First(p => p.Lora?.Target == pair.Name).Lora!;
            TensorProto moved = MoveToInput(gradient, weight.Weight.Name);
            _ = MoveToInput(evaluation, weight.Weight.Name);
            _ = MoveToInput(plain, weight.Weight.Name);
            parameters.Add(new PackageParameter(
                weight.Weight.Name, [.. moved.Dims.Select(d => (int)d)], factor with { Factor = LoraMatrix.Base, InputsFirst = weight.OutputsFirst ? null : true }));
            adapter.AddRange(TensorContent.ReadFloat(moved));
        }

        byte[] frozen = ExternalWeights.MoveOut(gradient, evaluation, plain);
        byte[] gradientGraph = OnnxFile.Write(gradient);
        byte[] evaluationGraph = OnnxFile.Write(evaluation);
        byte[] modelGraph = OnnxFile.Write(plain);
        PackageManifest manifest = package.Manifest with
        {
            Parameters = parameters,
            Gradient = PackageFile.Of(gradientGraph),
            Evaluation = PackageFile.Of(evaluationGraph),
            FrozenWeights = frozen.Length == 0 ? [] : [PackageFile.Of(frozen)],
            Model = PackageFile.Of(modelGraph),
            BaseBits = null,
            Adapter = package.Manifest.Adapter is null ? null : PackageFile.Of(AdapterDocument.ToBytes(0, adapter.ToArray())),
        };
        return new ModelPackage(manifest, gradientGraph, evaluationGraph, [.. adapter]) { ModelGraph = modelGraph, FrozenWeights = frozen };
    }

    private static ModelProto Read(byte[] graph, byte[] frozen)
    {
        ModelProto model = OnnxFile.Read(graph);
        ExternalWeights.Embed(model, _ => frozen);
        QuantizedBase.Widen(model);
        return model;
    }

    /// <summary>The adapted weight of each pair: from B along the change to where it is added to the layer's own output.</summary>
    private static List<(LoraPair Pair, LoraTarget Weight)> WeightsOf(ModelProto model, LoraLayout layout)
    {
        GraphBuilder graph = GraphFile.FromModel(model);
        IReadOnlyList<LoraTarget> layers = LoraTargets.Of(graph).Targets;
        List<(LoraPair, LoraTarget)> weights = [];
        foreach (LoraPair pair in layout.Pairs)
        {
            GraphValue value = graph.Inputs.First(input => input.Name == pair.B.Name);
            GraphNode node = Consumer(graph, value);
            while (node.OperatorType != "Add")
            {
                value = node.Outputs[0]!;
                node = Consumer(graph, value);
            }

            GraphValue own = node.Input(0) == value ? node.Input(1) : node.Input(0);
            LoraTarget weight = layers.FirstOrDefault(layer => layer.Node.Outputs[0] == own)
                ?? throw new OnnxFormatException($"The change '{pair.Name}' is added to '{own.Name}', which is no layer with a constant weight.");
            weights.Add((pair, weight));
        }

        return weights;
    }

    private static GraphNode Consumer(GraphBuilder graph, GraphValue value) => graph.Nodes.FirstOrDefault(node => node.Inputs.Contains(value))
        ?? throw new OnnxFormatException($"Nothing in the graph '{graph.Name}' takes '{value.Name}'.");

    private static TensorProto MoveToInput(ModelProto model, string name)
    {
        TensorProto tensor = model.Graph.Initializer.FirstOrDefault(t => t.Name == name)
            ?? throw new OnnxFormatException($"The graph '{model.Graph.Name}' has no constant '{name}', which the package's low-rank factors change.");
        model.Graph.Initializer.Remove(tensor);
        TensorShapeProto shape = new();
        shape.Dim.AddRange(tensor.Dims.Select(d => new TensorShapeProto.Types.Dimension { DimValue = d }));
        model.Graph.Input.Add(new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float, Shape = shape } },
        });
        return tensor;
    }
}
