using Federated.Modeling.Graphs;

namespace Federated.Modeling.Imports;

/// <summary>
/// LSTM, GRU and RNN written out step by step over a sequence of known length, each gate as the ONNX operators define it. What the sequence is multiplied
/// with is one MatMul for all steps, what the state is multiplied with one a step, so that both weights can be adapted like those of other layers.
/// </summary>
internal static class RecurrentForms
{
    /// <summary>Longest sequence: a step is about a dozen nodes, and a session has to open.</summary>
    private const long MaxSteps = 512;

    /// <summary>Gates i, o, f, c (Hochreiter and Schmidhuber 1997, in the form of the ONNX operator). Outputs Y, Y_h, Y_c.</summary>
    public static IReadOnlyList<GraphValue?> Lstm(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        RefuseInput(node, 7, "peepholes");
        RefuseAttribute(node, "input_forget");
        return Unroll(graph, node, 4, ["Sigmoid", "Tanh", "Tanh"], (weights, x, state) =>
        {
            Term[] gates = (x + weights.Recurrent(state.Hidden, 0, 4)).Split(4, -1);
            Term cell = (gates[2].Apply("Sigmoid") * state.Cell) + (gates[0].Apply("Sigmoid") * gates[3].Apply("Tanh"));
            return new State(gates[1].Apply("Sigmoid") * cell.Apply("Tanh"), cell);
        });
    }

    /// <summary>Gates z, r, h (Cho et al. 2014, arXiv 1406.1078; with <c>linear_before_reset</c> as cuDNN has it). Outputs Y, Y_h.</summary>
    public static IReadOnlyList<GraphValue?> Gru(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        bool linearFirst = node.Attributes.IntegerOr("linear_before_reset", 0) != 0;
        return Unroll(graph, node, 3, ["Sigmoid", "Tanh"], (weights, x, state) =>
        {
            Term before = state.Hidden;
            Term[] ofInput = x.Split(3, -1);
            Term[] ofState = linearFirst ? weights.Recurrent(before, 0, 3).Split(3, -1) : weights.Recurrent(before, 0, 2).Split(2, -1);
            Term update = (ofInput[0] + ofState[0]).Apply("Sigmoid");
            Term reset = (ofInput[1] + ofState[1]).Apply("Sigmoid");
            Term candidate = (ofInput[2] + (linearFirst ? reset * ofState[2] : weights.Recurrent(reset * before, 2, 3))).Apply("Tanh");
            return new State(((1 - update) * candidate) + (update * before), state.Cell);
        });
    }

    /// <summary>One gate (Elman 1990) with Tanh, Relu or Sigmoid. Outputs Y, Y_h.</summary>
    public static IReadOnlyList<GraphValue?> Rnn(GraphBuilder graph, GraphNode node, long operatorSet)
    {
        string activation = node.Attributes.Texts("activations") is [string first, ..] && first is "Relu" or "Sigmoid" ? first : "Tanh";
        return Unroll(graph, node, 1, [activation], (weights, x, state) =>
            state with { Hidden = (x + weights.Recurrent(state.Hidden, 0, 1)).Apply(activation) });
    }

    /// <summary>X [steps, N, inputs] to Y [steps, directions, N, hidden] and the last states [directions, N, hidden].</summary>
    private static IReadOnlyList<GraphValue?> Unroll(
        GraphBuilder graph, GraphNode node, int gates, string[] activations, Func<RecurrentWeights, Term, State, State> step)
    {
        string[] directions = Directions(node);
        RefuseInput(node, 4, "lengths of single sequences");
        RefuseAttribute(node, "layout");
        RefuseAttribute(node, "clip");
        string[] wanted = [.. directions.SelectMany(_ => activations)];
        if (node.Attributes.Texts("activations") is { Count: > 0 } given && !given.SequenceEqual(wanted, StringComparer.Ordinal))
        {
            throw node.Refuse($"attribute 'activations' is {string.Join(", ", given)}; {string.Join(", ", wanted)} is supported");
        }

        Dimension length = node.Input(0).Shape[0];
        if (length.IsSymbolic || length.Size is < 1 or > MaxSteps)
        {
            throw node.Refuse($"its sequence has {length} steps; a number from 1 to {MaxSteps} that is known before a run is supported");
        }

        int steps = (int)length.Size;
        List<Term>[] hidden = new List<Term>[directions.Length];
        State[] last = new State[directions.Length];
        for (int d = 0; d < directions.Length; d++)
        {
            RecurrentWeights weights = new(graph, node, gates, d, directions[d]);
            Term[] inputs = weights.OfSequence(new Term(graph, node.Input(0))).Split(steps, 0);
            last[d] = new State(weights.InitialState(5), weights.InitialState(6));
            hidden[d] = [];
            foreach (Term x in directions[d] == "reverse" ? inputs.Reverse() : inputs)
            {
                last[d] = step(weights, x.Squeeze(0), last[d]);
                hidden[d].Add(last[d].Hidden);
            }

            if (directions[d] == "reverse")
            {
                hidden[d].Reverse();
            }
        }

        IEnumerable<Term> bySteps = Enumerable.Range(0, steps).Select(t => Term.Join(hidden.Select(h => h[t].Unsqueeze(0, 1)), 1));
        return
        [
            Term.Join(bySteps, 0).Value,
            Term.Join(last.Select(s => s.Hidden.Unsqueeze(0)), 0).Value,
            node.OperatorType == "LSTM" ? Term.Join(last.Select(s => s.Cell.Unsqueeze(0)), 0).Value : null,
        ];
    }

    private static string[] Directions(GraphNode node) => node.Attributes.TextOr("direction", "forward") switch
    {
        "bidirectional" => ["forward", "reverse"],
        "forward" => ["forward"],
        "reverse" => ["reverse"],
        string other => throw node.Refuse($"attribute 'direction' is '{other}'; forward, reverse and bidirectional are supported"),
    };

    private static void RefuseInput(GraphNode node, int input, string what)
    {
        if (node.OptionalInput(input) is not null)
        {
            throw node.Refuse($"input {input} is there; {what} are not supported");
        }
    }

    private static void RefuseAttribute(GraphNode node, string attribute)
    {
        if (node.Attributes.Has(attribute) && (attribute == "clip" || node.Attributes.IntegerOr(attribute, 0) != 0))
        {
            throw node.Refuse($"attribute '{attribute}' is set; it is supported where it is not");
        }
    }

    /// <summary>What goes from step to step: [N or 1, hidden]; GRU and RNN leave the cell as it is.</summary>
    private readonly record struct State(Term Hidden, Term Cell);
}
