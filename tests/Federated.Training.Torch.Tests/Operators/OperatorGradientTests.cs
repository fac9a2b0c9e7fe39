using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Cases;
using Federated.Training.Torch.Operators;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Training.Torch.Tests.Operators;

/// <summary>
/// The gradient graph of every operator in ONNX Runtime against torch's automatic differentiation, on random shapes. Both compute in float32; a difference may be
/// 1e-4 of the greatest element.
/// </summary>
public sealed class OperatorGradientTests
{
    private const ulong Instances = 16;
    private const double Tolerance = 1e-4;

    public static TheoryData<string> Names => [.. OperatorCases.All.Select(c => c.ToString())];

    [Theory]
    [MemberData(nameof(Names))]
    public void Backward_RandomShapes_AgreesWithAutomaticDifferentiation(string name)
    {
        for (ulong number = 0; number < Instances; number++)
        {
            OperatorInstance instance = OperatorCases.Named(name).Instance(number);
            Dictionary<string, float[]> expected = RunTorch(instance);
            Dictionary<string, float[]> actual = RunOnnxRuntime(instance);
            Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
            foreach ((string output, float[] values) in expected)
            {
                AssertClose(values, actual[output], $"{output} of instance {number}, operands {instance}");
            }
        }
    }

    [Fact]
    public void Operators_WithGradientRule_AreAllInTorch() => Assert.Subset(OperatorTable.Operators.ToHashSet(), GradientRules.Default.Operators.ToHashSet());

    private static Dictionary<string, float[]> RunTorch(OperatorInstance instance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        GraphBuilder graph = instance.Forward(DataType.Float);
        graph.Output("loss", OperatorInstance.LinearForm(graph, graph.Outputs[0].Value));
        Dictionary<GraphValue, torch.Tensor> constants = graph.Constants.ToDictionary(c => c, c => ElementTypes.ToTensor(c.Constant!, torch.CPU));
        try
        {
            torch.Tensor[] inputs = [.. instance.Operands.Select(o => torch.tensor([.. o.Values.Select(v => (float)v)], [.. o.Shape.Select(d => (long)d)], requires_grad: true))];
            torch.Tensor loss = new TorchProgram(graph, ["loss"], constants).Run(inputs)[0];
            loss.backward();
            Dictionary<string, float[]> outputs = inputs.Select((x, i) => ($"gradient/{i}", Values(x.grad!))).ToDictionary(p => p.Item1, p => p.Item2);
            outputs.Add("loss", Values(loss.detach()));
            return outputs;
        }
        finally
        {
            foreach (torch.Tensor constant in constants.Values)
            {
                constant.Dispose();
            }
        }
    }

    private static Dictionary<string, float[]> RunOnnxRuntime(OperatorInstance instance)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using InferenceSession session = new(OnnxFile.Write(GraphFile.ToModel(instance.WithGradients(DataType.Float))), options);
        Dictionary<string, OrtValue> inputs = instance.Operands.Select((o, i) => ($"x{i}", OrtValue.CreateTensorValueFromMemory<float>(
            [.. o.Values.Select(v => (float)v)], [.. o.Shape.Select(d => (long)d)]))).ToDictionary(p => p.Item1, p => p.Item2);
        try
        {
            using RunOptions run = new();
            using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, inputs, session.OutputNames);
            return session.OutputNames.Zip(results).ToDictionary(o => o.First, o => o.Second.GetTensorDataAsSpan<float>().ToArray());
        }
        finally
        {
            foreach (OrtValue input in inputs.Values)
            {
                input.Dispose();
            }
        }
    }

    private static float[] Values(torch.Tensor tensor) => tensor.contiguous().data<float>().ToArray();

    private static void AssertClose(float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double greatest = expected.Max(v => Math.Abs((double)v));
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - (double)actual[i]) <= Tolerance * greatest + 1e-7, $"{what}, element {i}: torch {expected[i]}, ONNX Runtime {actual[i]}.");
        }
    }
}
