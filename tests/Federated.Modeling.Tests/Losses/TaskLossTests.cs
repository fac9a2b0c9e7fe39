using Federated.Modeling.Gradients;
using Federated.Modeling.Graphs;
using Federated.Modeling.Losses;
using Federated.Modeling.Onnx;
using Federated.Modeling.Tests.Gradients;
using Federated.Modeling.Tests.Reference;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Losses;

/// <summary>Each task's loss, score and gradient against the formula, in ONNX Runtime.</summary>
public sealed class TaskLossTests
{
    [Fact]
    public void CausalLm_NegativeLabels_AreNeitherCountedNorFollowed()
    {
        Tensor scores = GradientCheck.Random([2, 3, 4]);
        Tensor labels = new([1, -100, 3, -1, 0, 2], [2, 3]);

        (double loss, double score, Tensor gradient) = Run(ModelTask.CausalLm, scores, labels);

        int[] counted = [0, 2, 4, 5];
        Assert.Equal(counted.Average(p => LogSum(scores, p) - scores.Values[(p * 4) + (int)labels.Values[p]]), loss, 1e-5);
        Assert.Equal(counted.Count(p => Best(scores, p) == (int)labels.Values[p]), score);
        for (int p = 0; p < 6; p++)
        {
            for (int c = 0; c < 4; c++)
            {
                double probability = Math.Exp(scores.Values[(p * 4) + c] - LogSum(scores, p));
                double expected = counted.Contains(p) ? (probability - (labels.Values[p] == c ? 1 : 0)) / counted.Length : 0;
                Assert.Equal(expected, gradient.Values[(p * 4) + c], 1e-5);
            }
        }
    }

    [Fact]
    public void CausalLm_NothingCounted_LosesNothing()
    {
        (double loss, double score, Tensor gradient) = Run(ModelTask.CausalLm, GradientCheck.Random([1, 2, 3]), new Tensor([-100, -100], [1, 2]));

        Assert.Equal((0, 0), (loss, score));
        Assert.All(gradient.Values, g => Assert.Equal(0, g));
    }

    [Fact]
    public void Regression_Numbers_GiveSquaredAndAbsoluteErrors()
    {
        Tensor scores = GradientCheck.Random([3, 2]);
        Tensor labels = new([.. scores.Values.Select((v, i) => v + i - 2)], [3, 2]);

        (double loss, double score, Tensor gradient) = Run(ModelTask.Regression, scores, labels);

        double[] errors = [2, 1, 0, -1, -2, -3];
        Assert.Equal(errors.Average(e => e * e), loss, 1e-5);
        Assert.Equal(errors.Sum(Math.Abs), score, 1e-5);
        Assert.All(errors.Zip(gradient.Values), pair => Assert.Equal(2 * pair.First / 6, pair.Second, 1e-5));
    }

    [Fact]
    public void Embedding_Vectors_GiveCosineSimilarity()
    {
        Tensor scores = new([3, 4, 0, 1], [2, 2]);
        Tensor labels = new([3, 4, 1, 0], [2, 2]);

        (double loss, double score, Tensor gradient) = Run(ModelTask.Embedding, scores, labels);

        Assert.Equal(0.5, loss, 1e-5);
        Assert.Equal(1, score, 1e-5);
        Assert.Equal([0, 0, -0.5, 0], gradient.Values.Select(g => Math.Round(g, 5)));
    }

    [Theory]
    [InlineData(ModelTask.CausalLm, "causal-lm needs [N, positions, vocabulary]")]
    [InlineData(ModelTask.Classification, "")]
    public void Attach_ScoresOfAMatrix_SuitClassificationOnly(ModelTask task, string refusal)
    {
        GraphBuilder graph = new("g");
        GraphValue scores = graph.Input("scores", DataType.Float, TensorShape.Of(Dimension.Batch, 3));
        if (refusal.Length == 0)
        {
            Assert.Equal(3, TaskLoss.Attach(graph, task, scores).Labels.Classes);
            return;
        }

        Assert.Contains(refusal, Assert.Throws<OnnxFormatException>(() => TaskLoss.Attach(graph, task, scores)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_OneClass_IsRefused()
    {
        GraphBuilder graph = new("g");
        GraphValue scores = graph.Input("scores", DataType.Float, TensorShape.Of(Dimension.Batch, 1));

        Assert.Contains("--task regression", Assert.Throws<OnnxFormatException>(() => TaskLoss.Attach(graph, ModelTask.Classification, scores)).Message, StringComparison.Ordinal);
    }

    private static (double Loss, double Score, Tensor Gradient) Run(ModelTask task, Tensor scores, Tensor labels)
    {
        GraphBuilder graph = new("g");
        GraphValue input = graph.Input("scores", DataType.Float, TensorShape.Of([Dimension.Batch, .. scores.Shape.Skip(1).Select(d => Dimension.Of(d))]));
        TaskLoss loss = TaskLoss.Attach(graph, task, input);
        GraphValue gradient = GradientBuilder.Append(graph, loss.Loss, [input])[0];
        graph.Output("loss", loss.Loss);
        graph.Output("score", loss.Score());
        graph.Output("gradient", gradient);
        LossLowering.Apply(graph);
        IReadOnlyDictionary<string, Tensor> run = OnnxRuntimeRun.Run(
            OnnxFile.Write(GraphFile.ToModel(graph)), new Dictionary<string, Tensor> { ["scores"] = scores, ["labels"] = labels });
        return (run["loss"].Values[0], run["score"].Values[0], run["gradient"]);
    }

    private static double LogSum(Tensor scores, int row) => Math.Log(Enumerable.Range(0, 4).Sum(c => Math.Exp(scores.Values[(row * 4) + c])));

    private static int Best(Tensor scores, int row) => Enumerable.Range(0, 4).MaxBy(c => scores.Values[(row * 4) + c]);
}
