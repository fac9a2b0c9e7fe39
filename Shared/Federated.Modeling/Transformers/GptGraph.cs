using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Transformers;

/// <summary>
/// Builds a decoder of the Llama family. Weights have the names and shapes that Hugging Face gives them ([outputs, inputs]), so that a checkpoint's
/// tensors are the adapter's. Rows are the positions of all examples, one below the other; only attention sees the sequence.
/// </summary>
internal static class GptGraph
{
    /// <summary>Below any score; an infinity would make the gradient of a masked position NaN.</summary>
    internal const double Masked = -1e9;

    /// <summary>The forward graph: tokens [N, T] to scores [N, T, V].</summary>
    /// <exception cref="ArgumentException">Sizes do not fit each other.</exception>
    public static ForwardModel Build(GptSpec spec, FrozenWeights? frozen)
    {
        ArgumentNullException.ThrowIfNull(spec);
        spec.Demand();
        LayerGraph graph = new($"gpt-{spec.Layers}x{spec.Width}", [spec.Context], frozen, DataType.Int64);
        GraphValue embedding = graph.Parameter("model.embed_tokens.weight", [spec.Vocabulary, spec.Width], Initialization.Small, spec.Vocabulary, spec.Width);
        GraphValue x = graph.Reshape(graph.Graph.Node("Gather", embedding, graph.Features), -1, spec.Width);
        PositionConstants positions = new(graph, spec);
        for (int i = 0; i < spec.Layers; i++)
        {
            string layer = $"model.layers.{i}";
            GraphValue attended = Attend(graph, spec, positions, $"{layer}.self_attn", RmsNorm(graph, spec, $"{layer}.input_layernorm", x));
            x = graph.Graph.Node("Add", x, attended);
            GraphValue normed = RmsNorm(graph, spec, $"{layer}.post_attention_layernorm", x);
            GraphValue fed = spec.Experts == 1
                ? SwiGlu(graph, normed, spec, $"{layer}.mlp.gate_proj", $"{layer}.mlp.up_proj", $"{layer}.mlp.down_proj")
                : Experts(graph, spec, $"{layer}.block_sparse_moe", normed);
            x = graph.Graph.Node("Add", x, fed);
        }

        x = RmsNorm(graph, spec, "model.norm", x);
        GraphValue scores = spec.TiedEmbedding
            ? graph.Graph.Append("lm_head", "Gemm", NodeAttributes.None.With("transB", 1), [x, embedding], 1).Outputs[0]!
            : graph.Linear("lm_head", x, spec.Vocabulary, Initialization.Small, bias: false);
        return graph.Model(graph.Reshape(scores, -1, spec.Context, spec.Vocabulary), ModelTask.CausalLm);
    }

    /// <summary>x / √(mean x² + ε) · w (Zhang and Sennrich 2019, arXiv 1910.07467).</summary>
    private static GraphValue RmsNorm(LayerGraph graph, GptSpec spec, string name, GraphValue x)
    {
        Term value = new(graph.Graph, x);
        Term scale = new(graph.Graph, graph.Parameter($"{name}.weight", [spec.Width], Initialization.One, spec.Width, spec.Width));
        Term mean = (value * value).Apply("ReduceMean", NodeAttributes.None.With("keepdims", 1), graph.Graph.Int64Vector(-1));
        return (value / (mean + spec.NormEpsilon).Apply("Sqrt") * scale).Value;
    }

    /// <summary>Causal attention of H heads over fewer heads of keys and values (Ainslie et al. 2023, arXiv 2305.13245).</summary>
    private static GraphValue Attend(LayerGraph graph, GptSpec spec, PositionConstants positions, string name, GraphValue x)
    {
        (int length, int width, int shared) = (spec.Context, spec.HeadWidth, spec.KeyValueHeads);
        int group = spec.Heads / shared;
        GraphValue queries = Heads(graph, spec, graph.Linear($"{name}.q_proj", x, spec.Heads * width, Initialization.Small, bias: false), spec.Heads);
        GraphValue keys = Heads(graph, spec, graph.Linear($"{name}.k_proj", x, shared * width, Initialization.Small, bias: false), shared);
        GraphValue values = Heads(graph, spec, graph.Linear($"{name}.v_proj", x, shared * width, Initialization.Small, bias: false), shared);

        // The queries of one group lie below each other, so that their keys need no copies.
        GraphValue grouped = graph.Reshape(Rotate(graph, spec, positions, queries), -1, shared, group * length, width);
        GraphValue turned = graph.Transpose(Rotate(graph, spec, positions, keys), 0, 1, 3, 2);
        Term scores = new Term(graph.Graph, graph.Graph.Node("MatMul", grouped, turned)) * (1 / Math.Sqrt(width));
        GraphValue open = graph.Reshape(scores.Value, -1, shared, group, length, length);
        GraphValue masked = graph.Graph.Node("Add", open, positions.Mask);
        GraphValue weights = graph.Reshape(
            graph.Graph.Node("Softmax", NodeAttributes.None.With("axis", -1), masked), -1, shared, group * length, length);
        GraphValue mixed = graph.Reshape(graph.Graph.Node("MatMul", weights, values), -1, spec.Heads, length, width);
        GraphValue rows = graph.Reshape(graph.Transpose(mixed, 0, 2, 1, 3), -1, spec.Heads * width);
        return graph.Linear($"{name}.o_proj", rows, spec.Width, Initialization.Small, bias: false);
    }

    /// <summary>[N·T, heads·D] as [N, heads, T, D].</summary>
    private static GraphValue Heads(LayerGraph graph, GptSpec spec, GraphValue rows, int heads) =>
        graph.Transpose(graph.Reshape(rows, -1, spec.Context, heads, spec.HeadWidth), 0, 2, 1, 3);

    /// <summary>
    /// Turns the pairs (i, i + D/2) of each position t by t·θ^(−2i/D) (Su et al. 2021, arXiv 2104.09864, section 3.4.2; pairs as in Llama's
    /// published code for Hugging Face).
    /// </summary>
    private static GraphValue Rotate(LayerGraph graph, GptSpec spec, PositionConstants positions, GraphValue heads)
    {
        int half = spec.HeadWidth / 2;
        GraphNode parts = graph.Graph.Append(
            "Split", "Split", NodeAttributes.None.With("axis", -1), [heads, graph.Graph.Int64Vector(half, half)], 2);
        GraphValue turned = graph.Graph.Node(
            "Concat", NodeAttributes.None.With("axis", -1), graph.Graph.Node("Neg", parts.Outputs[1]!), parts.Outputs[0]!);
        (GraphValue cosine, GraphValue sine) = positions.Rotation;
        return ((new Term(graph.Graph, heads) * new Term(graph.Graph, cosine)) + (new Term(graph.Graph, turned) * new Term(graph.Graph, sine))).Value;
    }

    /// <summary>W₂(silu(W₁x) ⊙ W₃x) (Shazeer 2020, arXiv 2002.05202).</summary>
    private static GraphValue SwiGlu(LayerGraph graph, GraphValue x, GptSpec spec, string gate, string up, string down)
    {
        Term gated = new(graph.Graph, graph.Linear(gate, x, spec.FeedForward, Initialization.Small, bias: false));
        Term raised = new(graph.Graph, graph.Linear(up, x, spec.FeedForward, Initialization.Small, bias: false));
        return graph.Linear(down, (gated * gated.Apply("Sigmoid") * raised).Value, spec.Width, Initialization.Small, bias: false);
    }

    /// <summary>
    /// The experts with the largest gates, weighted by the softmax of those gates (Jiang et al. 2024, arXiv 2401.04088, section 2.1). Every expert
    /// computes every position: at the sizes of devices that costs less than moving positions about. Names as Mixtral's.
    /// </summary>
    private static GraphValue Experts(LayerGraph graph, GptSpec spec, string name, GraphValue x)
    {
        GraphBuilder nodes = graph.Graph;
        Term gates = new(nodes, graph.Linear($"{name}.gate", x, spec.Experts, Initialization.Small, bias: false));

        // A gate is among the largest when fewer than so many others are above it.
        GraphValue above = nodes.Node(
            "Greater", graph.Reshape(gates.Value, -1, 1, spec.Experts), graph.Reshape(gates.Value, -1, spec.Experts, 1));
        Term rank = new Term(nodes, nodes.Node("Cast", NodeAttributes.None.With("to", (long)DataType.Float), above))
            .Apply("ReduceSum", NodeAttributes.None.With("keepdims", 0), nodes.Int64Vector(-1));
        Term chosen = gates.Where(rank < spec.ActiveExperts, new Term(nodes, nodes.Scalar(DataType.Float, Masked)));
        GraphValue weights = chosen.Apply("Softmax", NodeAttributes.None.With("axis", -1)).Value;
        GraphNode shares = nodes.Append(
            "Split", "Split", NodeAttributes.None.With("axis", -1), [weights, nodes.Int64Vector([.. Enumerable.Repeat(1L, spec.Experts)])], spec.Experts);
        Term? sum = null;
        for (int i = 0; i < spec.Experts; i++)
        {
            string expert = $"{name}.experts.{i}";
            Term share = new Term(nodes, SwiGlu(graph, x, spec, $"{expert}.w1", $"{expert}.w3", $"{expert}.w2")) * new Term(nodes, shares.Outputs[i]!);
            sum = sum is { } others ? others + share : share;
        }

        return sum!.Value.Value;
    }
}
