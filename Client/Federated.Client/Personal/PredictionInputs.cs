using System.Globalization;
using System.Text.Json;
using Federated.Shared.Models;
using Federated.Training;

namespace Federated.Client.Personal;

/// <summary>
/// Examples without labels, as somebody asks about them: <c>{"inputs":[…]}</c>, each input an array of numbers, nested or not, that has as many as the model takes. They must be prepared
/// as the examples were that the model was trained on.
/// </summary>
internal sealed class PredictionInputs : IExampleSource
{
    private const string Inputs = "inputs";
    private const double MostExactly = 1L << 53;

    private readonly List<double[]> _inputs;

    private PredictionInputs(List<double[]> inputs, ExampleFormat format)
    {
        _inputs = inputs;
        Format = format;
    }

    /// <inheritdoc/>
    public int Count => _inputs.Count;

    /// <inheritdoc/>
    public ExampleFormat Format { get; }

    /// <summary>Reads a question.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="manifest">The package that is asked.</param>
    /// <exception cref="FormatException">It is none; the message says where and what is allowed.</exception>
    public static PredictionInputs Parse(ReadOnlyMemory<byte> json, PackageManifest manifest)
    {
        ExampleFormat format = ExampleFormat.Of(manifest);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty(Inputs, out JsonElement all) || all.ValueKind != JsonValueKind.Array)
            {
                throw new FormatException($"The body is not {{\"{Inputs}\": [ … ]}}.");
            }

            List<double[]> inputs = [];
            foreach (JsonElement one in all.EnumerateArray())
            {
                List<double> values = [];
                Flatten(one, values, inputs.Count);
                inputs.Add(values.Count == format.FeatureLength
                    ? [.. values]
                    : throw new FormatException(
                        $"{Inputs}[{inputs.Count}] has {values.Count} numbers; package '{manifest.Name}' takes {format.FeatureLength}, of shape [{string.Join(", ", manifest.Input.Shape)}]."));
                int odd = format.FeatureType == ElementType.Int64 ? values.FindIndex(value => value != Math.Floor(value) || Math.Abs(value) > MostExactly) : -1;
                if (odd >= 0)
                {
                    throw new FormatException(string.Create(
                        CultureInfo.InvariantCulture, $"{Inputs}[{inputs.Count - 1}] holds {values[odd]}, element {odd}; package '{manifest.Name}' takes whole numbers."));
                }
            }

            return inputs.Count > 0 ? new PredictionInputs(inputs, format) : throw new FormatException($"{Inputs} is empty.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"The body is not JSON: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            double[] values = _inputs[indices[i]];
            for (int j = 0; j < values.Length; j++)
            {
                if (Format.FeatureType == ElementType.Int64)
                {
                    batch.Tokens[(i * values.Length) + j] = (long)values[j];
                }
                else
                {
                    batch.Features[(i * values.Length) + j] = (float)values[j];
                }
            }
        }

        // Any label will do: the loss is not looked at.
        batch.Labels.Clear();
        batch.Targets.Clear();
    }

    private static void Flatten(JsonElement element, List<double> values, int input)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement inner in element.EnumerateArray())
            {
                Flatten(inner, values, input);
            }
        }
        else if (element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out double value) && double.IsFinite(value))
        {
            values.Add(value);
        }
        else
        {
            throw new FormatException($"{Inputs}[{input}] holds {element.ValueKind}, element {values.Count}; allowed are numbers and arrays of them.");
        }
    }
}
