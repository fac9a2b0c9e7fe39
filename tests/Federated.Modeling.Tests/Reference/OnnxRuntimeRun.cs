using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Federated.Modeling.Tests.Reference;

/// <summary>Runs a float32 graph in ONNX Runtime, one thread.</summary>
internal static class OnnxRuntimeRun
{
    public static IReadOnlyDictionary<string, Tensor> Run(GraphBuilder graph, IReadOnlyDictionary<string, Tensor> feeds) =>
        Run(OnnxFile.Write(GraphFile.ToModel(graph)), feeds);

    public static IReadOnlyDictionary<string, Tensor> Run(byte[] model, IReadOnlyDictionary<string, Tensor> feeds)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using InferenceSession session = new(model, options);
        Dictionary<string, OrtValue> inputs = session.InputMetadata.ToDictionary(m => m.Key, m => Value(m.Value, feeds[m.Key]));
        try
        {
            using RunOptions run = new();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, inputs, session.OutputNames);
            return session.OutputNames.Zip(outputs).ToDictionary(o => o.First, o => Read(o.Second));
        }
        finally
        {
            foreach (OrtValue input in inputs.Values)
            {
                input.Dispose();
            }
        }
    }

    private static OrtValue Value(NodeMetadata metadata, Tensor tensor)
    {
        long[] shape = [.. tensor.Shape.Select(d => (long)d)];
        return metadata.ElementDataType == TensorElementType.Int64
            ? OrtValue.CreateTensorValueFromMemory<long>([.. tensor.Values.Select(v => (long)v)], shape)
            : OrtValue.CreateTensorValueFromMemory<float>([.. tensor.Values.Select(v => (float)v)], shape);
    }

    private static Tensor Read(OrtValue value) => new(
        [.. value.GetTensorDataAsSpan<float>().ToArray().Select(v => (double)v)],
        [.. value.GetTensorTypeAndShape().Shape.Select(d => (int)d)]);
}
