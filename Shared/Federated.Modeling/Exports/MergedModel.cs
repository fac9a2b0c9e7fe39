using System.Runtime.InteropServices;
using Federated.Modeling.Imports;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Modeling.Quantization;
using Federated.Shared.Models;
using Google.Protobuf;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Exports;

/// <summary>
/// An ordinary ONNX model of a package and an adapter: trained weights become constants, and a layer's low-rank change is added to its weight, W + (α/r)·B·A,
/// wherever that lies: among the constants, or in the adapter of a job that merges its changes (<see cref="MergeablePackage"/>).
/// It gives the scores that the package gives, up to the rounding of sums in another order.
/// </summary>
public static class MergedModel
{
    /// <summary>Builds the model; its input is that of the package and its output <c>scores</c>.</summary>
    /// <param name="package">With its graph of scores and its frozen weights.</param>
    /// <param name="adapter">[P], P = package.Manifest.Layout.Length.</param>
    /// <exception cref="ArgumentException">The package has no graph, or the adapter is another model's.</exception>
    /// <exception cref="OnnxFormatException">The graph does not fit the manifest.</exception>
    public static byte[] Build(ModelPackage package, ReadOnlyMemory<float> adapter) => OnnxFile.Write(Merge(package, adapter));

    /// <summary>The same for other software: an imported model has its file's names and types, and the softmax that an import leaves out.</summary>
    /// <param name="package">With its graph of scores and its frozen weights.</param>
    /// <param name="adapter">[P], P = package.Manifest.Layout.Length.</param>
    /// <param name="metadata">Texts that the file is to carry.</param>
    /// <exception cref="ArgumentException">The package has no graph, or the adapter is another model's.</exception>
    /// <exception cref="OnnxFormatException">The graph does not fit the manifest.</exception>
    public static byte[] Export(ModelPackage package, ReadOnlyMemory<float> adapter, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ModelProto model = Merge(package, adapter);
        SourceNames.Restore(model, package.Manifest);
        model.MetadataProps.AddRange(metadata.Select(text => new StringStringEntryProto { Key = text.Key, Value = text.Value }));
        return OnnxFile.Write(model);
    }

    private static ModelProto Merge(ModelPackage package, ReadOnlyMemory<float> adapter)
    {
        ArgumentNullException.ThrowIfNull(package);
        PackageManifest manifest = package.Manifest;
        if (package.ModelGraph.Length == 0)
        {
            throw new ArgumentException($"Package '{manifest.Name}' has no graph of scores that an ONNX export could be made of. Export it as safetensors.");
        }

        Dictionary<string, NamedTensor> tensors = AdapterTensors.Of(manifest, adapter).ToDictionary(t => t.Name, StringComparer.Ordinal);
        ModelProto model = OnnxFile.Read(package.ModelGraph);
        ExternalWeights.Embed(model, _ => package.FrozenWeights);
        QuantizedBase.Widen(model);
        Dictionary<string, TensorProto> constants = model.Graph.Initializer.ToDictionary(t => t.Name, StringComparer.Ordinal);
        LoraPair[] moved = [.. LoraLayout.Of(manifest).Pairs.Where(pair => pair.Base is not null)];
        foreach (LoraPair pair in moved)
        {
            float[] merged = tensors[pair.Base!.Name].Values.ToArray();
            Add(merged, pair.Outputs, pair.Inputs, !pair.BaseInputsFirst, tensors[pair.A.Name], tensors[pair.B.Name], pair.Scale);
            tensors[pair.Base.Name] = tensors[pair.Base.Name] with { Values = merged };
        }

        if (manifest.Lora is { } lora && moved.Length == 0)
        {
            foreach ((LoraTarget target, string layer) in LoraInjection.Layers(GraphImport.Read(model), lora).DistinctBy(t => t.Layer))
            {
                TensorProto weight = constants[target.Weight.Name];
                float[] merged = TensorContent.ReadFloat(weight);
                NamedTensor a = tensors[LoraInjection.NameOfA(layer)];
                Add(merged, target.Outputs, target.Inputs, target.OutputsFirst, a, tensors[LoraInjection.NameOfB(layer)], (float)(lora.Alpha / lora.Rank));
                weight.FloatData.Clear();
                weight.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(merged.AsSpan()));
            }
        }

        foreach (ValueInfoProto input in model.Graph.Input.Where(i => i.Name != manifest.Input.Name).ToList())
        {
            NamedTensor value = tensors.GetValueOrDefault(input.Name) ?? throw new OnnxFormatException($"The graph takes '{input.Name}', which package '{manifest.Name}' does not train.");
            TensorProto constant = new() { Name = input.Name, DataType = (int)DataType.Float, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(value.Values.Span)) };
            constant.Dims.AddRange(value.Shape.Select(d => (long)d));
            model.Graph.Initializer.Add(constant);
            _ = model.Graph.Input.Remove(input);
        }

        return model;
    }

    /// <summary>W += scale · B · A; W [m, n], or [n, m] where outputs do not come first. A [r, n], B [m, r].</summary>
    private static void Add(Span<float> weight, int outputs, int inputs, bool outputsFirst, NamedTensor a, NamedTensor b, float scale)
    {
        int rank = b.Shape[1];
        ReadOnlySpan<float> factorA = a.Values.Span;
        ReadOnlySpan<float> factorB = b.Values.Span;
        for (int o = 0; o < outputs; o++)
        {
            for (int i = 0; i < inputs; i++)
            {
                double sum = 0;
                for (int k = 0; k < rank; k++)
                {
                    sum += (double)factorB[(o * rank) + k] * factorA[(k * inputs) + i];
                }

                weight[outputsFirst ? (o * inputs) + i : (i * outputs) + o] += (float)(scale * sum);
            }
        }
    }
}
