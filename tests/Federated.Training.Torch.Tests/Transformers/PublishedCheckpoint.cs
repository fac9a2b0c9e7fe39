using System.Text.Json.Nodes;
using Federated.Modeling.Exports;
using Federated.Shared.Randomness;

namespace Federated.Training.Torch.Tests.Transformers;

/// <summary>
/// A random checkpoint as the transformers library writes it. Names and shapes are written out here, from the library's models, and not taken from the
/// builder: vocabulary 37, width 24, 2 blocks, 4 heads over 2 of keys and values, feed-forward 20.
/// </summary>
internal static class PublishedCheckpoint
{
    private const int Vocabulary = 37;
    private const int Width = 24;
    private const int Layers = 2;
    private const int KeyValueWidth = 12;
    private const int FeedForward = 20;
    private const int Experts = 3;

    /// <summary>The keys of <c>config.json</c>.</summary>
    public static JsonObject Config(string family) => new()
    {
        ["architectures"] = new JsonArray($"{char.ToUpperInvariant(family[0])}{family[1..]}ForCausalLM"),
        ["attention_bias"] = false,
        ["hidden_act"] = "silu",
        ["hidden_size"] = Width,
        ["intermediate_size"] = FeedForward,
        ["max_position_embeddings"] = 64,
        ["model_type"] = family,
        ["num_attention_heads"] = 4,
        ["num_hidden_layers"] = Layers,
        ["num_key_value_heads"] = 2,
        ["num_local_experts"] = family == "mixtral" ? Experts : null,
        ["num_experts_per_tok"] = family == "mixtral" ? 2 : null,
        ["rms_norm_eps"] = 1e-6,
        ["rope_scaling"] = null,
        ["rope_theta"] = 500_000.0,
        ["sliding_window"] = family == "mistral" ? 5 : null,
        ["tie_word_embeddings"] = false,
        ["torch_dtype"] = "float32",
        ["transformers_version"] = "4.51.0",
        ["vocab_size"] = Vocabulary,
    };

    /// <summary>The tensors, in the order of the library's modules.</summary>
    public static List<NamedTensor> Tensors(string family, bool tied)
    {
        SeededGenerator random = SeededGenerator.For(21, "checkpoint", 0, family);
        List<NamedTensor> tensors = [];
        void Add(string name, params int[] shape)
        {
            float[] values = new float[shape.Aggregate(1, (product, size) => product * size)];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)(0.3 * random.NextGaussian());
            }

            tensors.Add(new NamedTensor(name, shape, values));
        }

        Add("model.embed_tokens.weight", Vocabulary, Width);
        for (int layer = 0; layer < Layers; layer++)
        {
            string name = $"model.layers.{layer}";
            Add($"{name}.self_attn.q_proj.weight", Width, Width);
            Add($"{name}.self_attn.k_proj.weight", KeyValueWidth, Width);
            Add($"{name}.self_attn.v_proj.weight", KeyValueWidth, Width);
            Add($"{name}.self_attn.o_proj.weight", Width, Width);
            if (family == "mixtral")
            {
                Add($"{name}.block_sparse_moe.gate.weight", Experts, Width);
                for (int expert = 0; expert < Experts; expert++)
                {
                    Add($"{name}.block_sparse_moe.experts.{expert}.w1.weight", FeedForward, Width);
                    Add($"{name}.block_sparse_moe.experts.{expert}.w2.weight", Width, FeedForward);
                    Add($"{name}.block_sparse_moe.experts.{expert}.w3.weight", FeedForward, Width);
                }
            }
            else
            {
                Add($"{name}.mlp.gate_proj.weight", FeedForward, Width);
                Add($"{name}.mlp.up_proj.weight", FeedForward, Width);
                Add($"{name}.mlp.down_proj.weight", Width, FeedForward);
            }

            Add($"{name}.input_layernorm.weight", Width);
            Add($"{name}.post_attention_layernorm.weight", Width);
        }

        Add("model.norm.weight", Width);
        if (!tied)
        {
            Add("lm_head.weight", Vocabulary, Width);
        }

        return tensors;
    }
}
