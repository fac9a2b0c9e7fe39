using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Imports;

/// <summary>A file's graph from the features to the value that the loss is taken of.</summary>
internal sealed record ImportedGraph
{
    /// <summary>Names that a note lists; a model may have thousands.</summary>
    private const int MostNamed = 40;

    /// <summary>Operators that are gone once a graph is read.</summary>
    private static readonly string[] ReadAway = ["CastLike", "Constant", "Dropout", "If"];

    public required GraphBuilder Graph { get; init; }

    public required GraphValue Features { get; init; }

    public required GraphValue Scores { get; init; }

    /// <summary>What the file calls its output.</summary>
    public required string Output { get; init; }

    /// <summary>Whether that output is the softmax of <see cref="Scores"/>.</summary>
    public required bool EndsInSoftmax { get; init; }

    /// <summary>Weights that are trained as a whole, with the values of the file.</summary>
    public required IReadOnlyList<TrainableTensor> Trainable { get; init; }

    /// <summary>Elements of all float32 weights.</summary>
    public required long FullModelParameters { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Reads the model anew; it is not changed.</summary>
    /// <exception cref="OnnxFormatException">It cannot be read, or its weights are not finite; the message names every operator that is missing.</exception>
    public static ImportedGraph Read(ModelProto source, ImportOptions options)
    {
        ModelProto model = source.Clone();
        (string input, string output) = SourceSignature.Normalize(model, options);
        RefuseUnknownOperators(model.Graph);
        TrainableWeights.DemandFinite(model.Graph);
        long parameters = model.Graph.Initializer.Where(t => t.DataType == (int)DataType.Float).Sum(TrainableWeights.Elements);
        (IReadOnlyList<TensorProto> trained, IReadOnlyList<string> leftOut) = TrainableWeights.Choose(model.Graph, options.Trainable);
        GraphBuilder graph = GraphImport.Read(model);

        // Weights inside the branches of an If become constants only now.
        parameters = Math.Max(parameters, graph.Constants.Where(c => c.ElementType == DataType.Float).Sum(c => c.Shape.KnownProduct) + trained.Sum(TrainableWeights.Elements));
        GraphValue scores = graph.Outputs[0].Value;
        graph.ClearOutputs();
        List<string> notes = [.. LeftOut([.. leftOut.Where(name => !options.Fill.ContainsKey(name))])];
        GraphValue stated = scores;
        scores = BeforeSoftmax(graph, scores, options.Task, notes);
        Dictionary<string, GraphValue> inputs = graph.Inputs.ToDictionary(i => i.Name, StringComparer.Ordinal);
        List<TrainableTensor> trainable = [];
        foreach (TensorProto tensor in trained)
        {
            if (Reaches(graph, inputs[tensor.Name], scores))
            {
                trainable.Add(new TrainableTensor(inputs[tensor.Name], Initialization.Given, 1, 1) { Values = TensorContent.ReadFloat(tensor) });
            }
        }

        return new ImportedGraph
        {
            Graph = graph,
            Features = inputs[input],
            Scores = scores,
            Output = output,
            EndsInSoftmax = scores != stated,
            Trainable = trainable,
            FullModelParameters = Math.Max(1, parameters),
            Notes = notes,
        };
    }

    private static IEnumerable<string> LeftOut(List<string> names) => names.Count == 0 ? [] :
    [
        $"{names.Count} float32 tensors that --trainable finds stay as they are, as they feed no layer or normalization directly: {string.Join(", ", names.Take(MostNamed))}"
            + $"{(names.Count > MostNamed ? $" and {names.Count - MostNamed} more" : "")}.",
    ];

    private static void RefuseUnknownOperators(GraphProto graph)
    {
        HashSet<(string Domain, string OperatorType)> known = [.. ShapeInference.Operators.Concat(ReadAway).Concat(OlderLists.Operators).Select(o => ("", o)), .. NodeRewrites.Operators];
        List<string> unknown =
        [
            .. graph.Node.Where(n => !known.Contains((n.Domain == "ai.onnx" ? "" : n.Domain, n.OpType)))
                .Select(n => $"{(n.Name.Length > 0 ? $"Node '{n.Name}'" : $"The node of '{n.Output.FirstOrDefault()}'")} ({(n.Domain.Length > 0 ? $"{n.Domain}." : "")}{n.OpType})"),
        ];
        if (unknown.Count > 0)
        {
            throw new OnnxFormatException(
                $"{unknown.Count} nodes are of operators that are not supported:{Environment.NewLine}{string.Join(Environment.NewLine, unknown)}{Environment.NewLine}"
                + "Pick an --output before them, export the model so that they are written out, or add the operators; docs/MODELS.md says how.");
        }
    }

    /// <summary>Cross-entropy takes unnormalized scores: of a model that ends in a softmax, what stands before it.</summary>
    private static GraphValue BeforeSoftmax(GraphBuilder graph, GraphValue scores, ModelTask task, List<string> notes)
    {
        GraphNode? last = graph.Nodes.FirstOrDefault(n => n.Outputs.Contains(scores));
        bool classes = task is ModelTask.Classification or ModelTask.CausalLm;
        if (!classes || last?.OperatorType != "Softmax")
        {
            return scores;
        }

        long axis = last.Attributes.IntegerOr("axis", -1);
        if (axis != -1 && axis != scores.Shape.Rank - 1)
        {
            return scores;
        }

        notes.Add($"The final node '{last.Name}' (Softmax) is left out: the loss takes the unnormalized scores '{last.Input(0).Name}' before it.");
        return last.Input(0);
    }

    private static bool Reaches(GraphBuilder graph, GraphValue from, GraphValue to)
    {
        HashSet<GraphValue> behind = [from];
        foreach (GraphNode node in graph.Nodes.Where(n => n.Inputs.Any(i => i is not null && behind.Contains(i))))
        {
            behind.UnionWith(node.Outputs.OfType<GraphValue>());
        }

        return behind.Contains(to);
    }
}
