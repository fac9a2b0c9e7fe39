using CsCheck;
using Federated.Modeling.Graphs;
using Federated.Modeling.Tests.Cases;
using Federated.Modeling.Tests.Gradients;
using Federated.Modeling.Tests.Reference;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Shapes;

/// <summary>The shape that inference states is the one that a run in ONNX Runtime gives, and the reference interpreter computes the same values.</summary>
public sealed class OperatorShapeTests
{
    private const double Tolerance = 1e-3;

    public static TheoryData<string> Names => [.. OperatorCases.All.Select(c => c.ToString())];

    [Theory]
    [MemberData(nameof(Names))]
    public void Infer_RandomShapes_StatesWhatARunGives(string name) => Gen.ULong.Sample(
        number =>
        {
            OperatorInstance instance = OperatorCases.Named(name).Instance(number);
            GraphBuilder graph = instance.Forward(DataType.Float);
            Dictionary<string, Tensor> feeds = instance.Operands.Select((o, i) => ($"x{i}", new Tensor(o.Values, o.Shape))).ToDictionary(p => p.Item1, p => p.Item2);
            Tensor actual = OnnxRuntimeRun.Run(graph, feeds)["y"];
            Assert.Equal(graph.Outputs[0].Value.Shape, TensorShape.OfSizes(actual.Shape.Select(d => (long)d)));
            GradientCheck.Same(Interpreter.Run(graph, feeds)[graph.Outputs[0].Value], actual, Tolerance, $"{instance}");
        },
        iter: 20,
        threads: 1);
}
