using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Training.Torch.Operators;
using static TorchSharp.torch;

namespace Federated.Training.Torch;

/// <summary>
/// What of a graph the wanted outputs depend on, as a list of bound operators over numbered tensors. Immutable; runs on any number of threads
/// at once.
/// </summary>
internal sealed class TorchProgram
{
    private const int LeftOut = -1;

    private readonly int _inputCount;
    private readonly Tensor?[] _start;
    private readonly List<Step> _steps = [];
    private readonly int[] _outputs;

    /// <summary>Binds every operator that the outputs depend on.</summary>
    /// <param name="graph">Types and shapes are inferred already.</param>
    /// <param name="outputs">Names of graph outputs.</param>
    /// <param name="constants">The graph's constants as tensors; they stay the caller's.</param>
    /// <exception cref="OnnxFormatException">An output is missing, or a node cannot be bound; the message names it.</exception>
    public TorchProgram(GraphBuilder graph, IReadOnlyList<string> outputs, IReadOnlyDictionary<GraphValue, Tensor> constants)
    {
        List<GraphValue> wanted = [.. outputs.Select(name => Find(graph, name))];
        HashSet<GraphValue> alive = [.. wanted];
        Stack<GraphNode> needed = new();
        foreach (GraphNode node in graph.Nodes.Reverse().Where(n => n.Outputs.Any(o => o is not null && alive.Contains(o))))
        {
            needed.Push(node);
            alive.UnionWith(node.Inputs.OfType<GraphValue>());
        }

        Dictionary<GraphValue, int> slots = [];
        List<Tensor?> start = [];
        foreach (GraphValue input in graph.Inputs)
        {
            slots.Add(input, start.Count);
            start.Add(null);
        }

        foreach (GraphValue constant in graph.Constants)
        {
            slots.Add(constant, start.Count);
            start.Add(constants[constant]);
        }

        foreach (GraphNode node in needed)
        {
            int[] inputs = [.. node.Inputs.Select(i => i is null ? LeftOut : slots[i])];
            foreach ((int index, GraphValue output) in node.Outputs.Index().Where(o => o.Item is not null).Select(o => (o.Index, o.Item!)))
            {
                slots.Add(output, start.Count);
                _steps.Add(new Step(OperatorTable.Bind(node, index), inputs, start.Count));
                start.Add(null);
            }
        }

        _inputCount = graph.Inputs.Count;
        _start = [.. start];
        _outputs = [.. wanted.Select(w => slots[w])];
    }

    /// <summary>Computes the outputs; they and everything between belong to the caller's dispose scope.</summary>
    /// <param name="inputs">One tensor for each graph input, in the graph's order.</param>
    public Tensor[] Run(IReadOnlyList<Tensor> inputs)
    {
        if (inputs.Count != _inputCount)
        {
            throw new ArgumentException($"{inputs.Count} inputs are given, the graph takes {_inputCount}.", nameof(inputs));
        }

        Tensor?[] values = [.. _start];
        for (int i = 0; i < inputs.Count; i++)
        {
            values[i] = inputs[i];
        }

        foreach (Step step in _steps)
        {
            values[step.Output] = step.Run([.. step.Inputs.Select(i => i == LeftOut ? null : values[i])]);
        }

        return [.. _outputs.Select(o => values[o]!)];
    }

    private static GraphValue Find(GraphBuilder graph, string output) =>
        graph.Outputs.FirstOrDefault(o => o.Name == output).Value
        ?? throw new OnnxFormatException(
            $"The graph '{graph.Name}' has no output '{output}'; it has {string.Join(", ", graph.Outputs.Select(o => o.Name))}.");

    private sealed record Step(TorchOperator Run, int[] Inputs, int Output);
}
