using Federated.Modeling;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Generation;

/// <summary>
/// A decoder whose blocks add nothing and whose likeliest next byte is the one after the last; the low-rank change of its output layer makes it the one
/// after that, for the first <see cref="Letters"/> letters of the alphabet.
/// </summary>
internal static class SuccessorModel
{
    /// <summary>Letters that the change knows, from 'a' on.</summary>
    public const int Letters = 6;

    /// <summary>Tokens the model sees.</summary>
    public const int Context = 4;

    private const int Tokens = 256;

    /// <summary>The package; its initial adapter has the change switched on.</summary>
    public static ModelPackage Build()
    {
        ModelSpec whole = new()
        {
            Builder = ModelSpec.Gpt,
            GptSizes = new GptSpec { Context = Context, Width = Tokens, Layers = 1, Heads = 2, KeyValueHeads = 1, FeedForward = 4, TiedEmbedding = false },
        };
        ParameterLayout layout = ModelBuilders.Build(whole).Layout;
        float[] weights = ModelBuilders.Build(whole).InitialAdapter(1);
        foreach (ParameterSpec parameter in layout.Parameters)
        {
            Span<float> values = weights.AsSpan(parameter.Offset, parameter.Length);
            if (parameter.Name.Contains("o_proj", StringComparison.Ordinal) || parameter.Name.Contains("down_proj", StringComparison.Ordinal))
            {
                values.Clear();
            }
            else if (parameter.Name is "model.embed_tokens.weight" or "lm_head.weight")
            {
                values.Clear();
                for (int token = 0; token < Tokens; token++)
                {
                    int output = parameter.Name == "lm_head.weight" ? (token + 1) % Tokens : token;
                    values[(output * Tokens) + token] = 1;
                }
            }
        }

        ModelPackage package = ModelPackage.Build(whole with { Lora = new PackageLora(Letters, Letters, "lm_head", 1) }, 1, weights);
        float[] adapter = new float[package.InitialAdapter.Length];
        foreach (ParameterSpec parameter in package.Manifest.Layout.Parameters)
        {
            for (int letter = 0; letter < Letters; letter++)
            {
                int token = 'a' + letter;
                if (parameter.Name.Contains("lora_A", StringComparison.Ordinal))
                {
                    adapter[parameter.Offset + (letter * Tokens) + token] = 1;
                }
                else
                {
                    adapter[parameter.Offset + ((token + 2) * Letters) + letter] = 2;
                }
            }
        }

        return package with { InitialAdapter = adapter };
    }
}
