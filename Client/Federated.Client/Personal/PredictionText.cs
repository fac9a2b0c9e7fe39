using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.Json;
using Federated.Client.Operations;
using Federated.Shared.Models;
using Federated.Training;

namespace Federated.Client.Personal;

/// <summary>What a model says, for programs and for people.</summary>
internal static class PredictionText
{
    private const int ShownValues = 8;

    /// <summary>
    /// Writes one example's scores as a JSON object: of one class an example <c>class</c> and <c>probabilities</c>, of a class at each position <c>classes</c>, of numbers <c>values</c>, of an
    /// embedding <c>vector</c>.
    /// </summary>
    public static void Write(Utf8JsonWriter writer, PackageManifest manifest, float[] scores)
    {
        writer.WriteStartObject();
        WriteMembers(writer, manifest, scores);
        writer.WriteEndObject();
    }

    /// <summary>One line of JSON: the example's index and what <see cref="Write"/> writes.</summary>
    public static string Line(PackageManifest manifest, int example, float[] scores) => Encoding.UTF8.GetString(LocalAnswer.Object(writer =>
    {
        writer.WriteNumber("example", example);
        WriteMembers(writer, manifest, scores);
    }));

    /// <summary>The same for people.</summary>
    public static string Plain(PackageManifest manifest, int example, float[] scores)
    {
        if (manifest.Labels.Classes is not { } classes)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{example}: {string.Join(", ", scores.Take(ShownValues).Select(value => value.ToString("G5", CultureInfo.InvariantCulture)))}{(scores.Length > ShownValues ? ", …" : "")}");
        }

        return scores.Length == classes
            ? string.Create(CultureInfo.InvariantCulture, $"{example}: {TensorPrimitives.IndexOfMax<float>(scores)} ({Probabilities(scores).Max():P1})")
            : string.Create(CultureInfo.InvariantCulture, $"{example}: {string.Join(' ', Classes(scores, classes))}");
    }

    /// <summary>Writes what is kept of a job: which adapter answers, and how both do.</summary>
    public static byte[] Describe(Predictor predictor) => LocalAnswer.Object(writer =>
    {
        WriteSource(writer, predictor);
        writer.WriteString("package", predictor.Manifest.Name);
        writer.WriteString("task", predictor.Manifest.Task.ToString());
        WriteIntegers(writer, "inputShape", predictor.Manifest.Input.Shape);
        WriteEvaluation(writer, "shared", predictor.Document.SharedEvaluation);
        WriteEvaluation(writer, "personal", predictor.Document.PersonalEvaluation);
    });

    /// <summary>Writes job, round and which adapter answers, into an open object.</summary>
    public static void WriteSource(Utf8JsonWriter writer, Predictor predictor)
    {
        writer.WriteString("job", predictor.Document.JobId);
        writer.WriteNumber("round", predictor.Document.Round);
        writer.WriteString("model", predictor.IsPersonal ? "personal" : "shared");
    }

    private static void WriteMembers(Utf8JsonWriter writer, PackageManifest manifest, float[] scores)
    {
        if (manifest.Labels.Classes is { } classes && scores.Length == classes)
        {
            writer.WriteNumber("class", TensorPrimitives.IndexOfMax<float>(scores));
            WriteArray(writer, "probabilities", Probabilities(scores));
        }
        else if (manifest.Labels.Classes is { } many)
        {
            WriteIntegers(writer, "classes", Classes(scores, many));
        }
        else
        {
            WriteArray(writer, manifest.Task == ModelTask.Embedding ? "vector" : "values", scores);
        }
    }

    private static IEnumerable<int> Classes(float[] scores, int classes) => scores.Chunk(classes).Select(position => TensorPrimitives.IndexOfMax<float>(position));

    private static float[] Probabilities(float[] scores)
    {
        float[] probabilities = new float[scores.Length];
        TensorPrimitives.SoftMax(scores, probabilities);
        return probabilities;
    }

    private static void WriteIntegers(Utf8JsonWriter writer, string name, IEnumerable<int> values)
    {
        writer.WriteStartArray(name);
        foreach (int value in values)
        {
            writer.WriteNumberValue(value);
        }

        writer.WriteEndArray();
    }

    private static void WriteArray(Utf8JsonWriter writer, string name, float[] values)
    {
        writer.WriteStartArray(name);
        foreach (float value in values)
        {
            // JSON has no other numbers.
            if (float.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }

        writer.WriteEndArray();
    }

    private static void WriteEvaluation(Utf8JsonWriter writer, string name, EvaluationSum? evaluation)
    {
        if (evaluation is not { Counted: > 0 } sum)
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartObject(name);
        writer.WriteNumber("heldOutExamples", sum.Examples);
        writer.WriteNumber("loss", sum.MeanLoss);
        writer.WriteNumber("quality", sum.Quality);
        writer.WriteEndObject();
    }
}
