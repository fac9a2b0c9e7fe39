using Federated.Modeling.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Tests.Transformers;

/// <summary>
/// A decoder of the Llama and Mixtral families written with torch alone, from the papers: its own attention, its own rotation by pairs, and experts that
/// only see the positions sent to them. It shares nothing with the builder but the weights' names.
/// </summary>
/// <param name="spec">Sizes.</param>
/// <param name="weights">By name; a layer with <c>lora_A</c> and <c>lora_B</c> has a change beside its weight.</param>
/// <param name="scale">What changes are multiplied by, α/r.</param>
internal sealed class TorchDecoder(GptSpec spec, IReadOnlyDictionary<string, Tensor> weights, double scale = 1)
{
    /// <summary>Scores [N, T, V] of tokens [N, T].</summary>
    public Tensor Forward(Tensor tokens)
    {
        Tensor x = weights["model.embed_tokens.weight"].index_select(0, tokens.flatten()).view(tokens.shape[0], tokens.shape[1], spec.Width);
        for (int i = 0; i < spec.Layers; i++)
        {
            string layer = $"model.layers.{i}";
            x = x + Attention($"{layer}.self_attn", Norm($"{layer}.input_layernorm", x));
            Tensor normed = Norm($"{layer}.post_attention_layernorm", x);
            x = x + (spec.Experts == 1
                ? FeedForward(normed, $"{layer}.mlp.gate_proj", $"{layer}.mlp.up_proj", $"{layer}.mlp.down_proj")
                : Experts($"{layer}.block_sparse_moe", normed));
        }

        Tensor last = Norm("model.norm", x);
        return spec.TiedEmbedding ? nn.functional.linear(last, weights["model.embed_tokens.weight"]) : Linear("lm_head", last);
    }

    private Tensor Norm(string name, Tensor x) => x * rsqrt(x.pow(2).mean([-1], keepdim: true) + spec.NormEpsilon) * weights[$"{name}.weight"];

    private Tensor Attention(string name, Tensor x)
    {
        int width = spec.Width / spec.Heads;
        Tensor queries = Rotated(Heads($"{name}.q_proj", x, spec.Heads));
        Tensor keys = Rotated(Heads($"{name}.k_proj", x, spec.KeyValueHeads)).repeat_interleave(spec.Heads / spec.KeyValueHeads, 1);
        Tensor values = Heads($"{name}.v_proj", x, spec.KeyValueHeads).repeat_interleave(spec.Heads / spec.KeyValueHeads, 1);
        Tensor positions = arange(spec.Context);
        Tensor distance = positions.unsqueeze(1) - positions.unsqueeze(0);
        Tensor visible = distance.ge(0).logical_and(distance.lt(spec.Window ?? spec.Context));
        Tensor mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, visible);
        return Linear($"{name}.o_proj", mixed.transpose(1, 2).reshape(x.shape[0], spec.Context, spec.Heads * width));
    }

    private Tensor Heads(string name, Tensor x, int heads) =>
        Linear(name, x).view(x.shape[0], spec.Context, heads, spec.Width / spec.Heads).transpose(1, 2);

    /// <summary>The pair (a, b) of position t and index i becomes (a cos − b sin, b cos + a sin) of the angle t·θ^(−2i/D).</summary>
    private Tensor Rotated(Tensor heads)
    {
        int half = spec.Width / spec.Heads / 2;
        Tensor frequencies = pow(spec.RotaryBase, arange(half, dtype: ScalarType.Float64) * (-1.0 / half));
        Tensor angles = outer(arange(spec.Context, dtype: ScalarType.Float64), frequencies);
        Tensor cosine = angles.cos().to(ScalarType.Float32);
        Tensor sine = angles.sin().to(ScalarType.Float32);
        Tensor first = heads.narrow(-1, 0, half);
        Tensor second = heads.narrow(-1, half, half);
        return cat([(first * cosine) - (second * sine), (second * cosine) + (first * sine)], -1);
    }

    private Tensor FeedForward(Tensor x, string gate, string up, string down) => Linear(down, nn.functional.silu(Linear(gate, x)) * Linear(up, x));

    private Tensor Experts(string name, Tensor x)
    {
        Tensor rows = x.reshape(-1, spec.Width);
        (Tensor gates, Tensor chosen) = Linear($"{name}.gate", rows).topk(spec.ActiveExperts, -1);
        Tensor shares = gates.softmax(-1);
        Tensor result = zeros_like(rows);
        for (long row = 0; row < rows.shape[0]; row++)
        {
            for (int k = 0; k < spec.ActiveExperts; k++)
            {
                string expert = $"{name}.experts.{chosen[row, k].ToInt64()}";
                result[row] += FeedForward(rows[row], $"{expert}.w1", $"{expert}.w3", $"{expert}.w2") * shares[row, k];
            }
        }

        return result.view(x.shape);
    }

    private Tensor Linear(string name, Tensor x)
    {
        Tensor own = nn.functional.linear(x, weights[$"{name}.weight"]);
        return weights.TryGetValue($"{name}.lora_A.weight", out Tensor? a)
            ? own + (nn.functional.linear(nn.functional.linear(x, a), weights[$"{name}.lora_B.weight"]) * scale)
            : own;
    }
}
