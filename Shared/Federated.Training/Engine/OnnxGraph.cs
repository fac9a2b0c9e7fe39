using Federated.Shared.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Federated.Training.Engine;

/// <summary>One graph of a package, opened and checked against the manifest. Thread-safe.</summary>
internal sealed class OnnxGraph : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();

    private OnnxGraph(InferenceSession session) => _session = session;

    /// <summary>Opens a graph.</summary>
    /// <param name="manifest">What the graph must take: the batch and one input per parameter.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="model">The ONNX graph. Its external data are files beside it; a graph in memory may have none.</param>
    /// <param name="outputs">What the graph must give: names and shapes.</param>
    /// <param name="trains">Whether it is run for every step of training, rather than now and then.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="InvalidDataException">It is not a model ONNX Runtime can run, or not the one the manifest describes.</exception>
    public static OnnxGraph Open(
        PackageManifest manifest,
        string file,
        GraphSource model,
        IEnumerable<(string Name, IReadOnlyList<int> Shape)> outputs,
        bool trains,
        OnnxEngineOptions options)
    {
        InferenceSession session;
        try
        {
            using SessionOptions sessionOptions = CreateSessionOptions(options, trains, trains && AddsUp(model), manifest.BaseBits is not null);
            if (model.Path is null)
            {
                GraphFiles.Deny(sessionOptions);
            }

            session = model.Path is { } path ? new InferenceSession(path, sessionOptions) : new InferenceSession(model.Content!, sessionOptions);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException($"ONNX Runtime cannot open {file} of package '{manifest.Name}': {e.Message}", e);
        }

        List<string> problems = [];
        CheckInputs(manifest, session, problems);
        foreach ((string name, IReadOnlyList<int> shape) in outputs)
        {
            CheckTensor("output", name, TensorElementType.Float, shape, session.OutputMetadata, problems);
        }

        if (problems.Count == 0)
        {
            return new OnnxGraph(session);
        }

        session.Dispose();
        throw new InvalidDataException(
            $"{file} of package '{manifest.Name}' does not fit its manifest: {string.Join("; ", problems)}. Build the package again.");
    }

    /// <summary>Whether it gives an output that not every graph of its kind has.</summary>
    public bool Gives(string output) => _session.OutputMetadata.ContainsKey(output);

    /// <summary>An empty binding for this graph.</summary>
    public OrtIoBinding CreateBinding() => _session.CreateIoBinding();

    /// <summary>The shape the graph declares for a scalar output: [] or [1].</summary>
    public long[] ScalarShape(string output) => [.. _session.OutputMetadata[output].Dimensions.Select(d => (long)d)];

    /// <summary>The shape of an output for a batch: its first dimension is the batch, the others are declared.</summary>
    public long[] BatchShape(string output, int count) => [count, .. _session.OutputMetadata[output].Dimensions.Skip(1).Select(d => (long)d)];

    /// <summary>Runs the graph on the caller's thread; results lie where the binding says.</summary>
    public void Run(OrtIoBinding binding) => _session.RunWithBinding(_runOptions, binding);

    public void Dispose()
    {
        _session.Dispose();
        _runOptions.Dispose();
    }

    /// <summary>
    /// Whether the gradient of a gather is in it, as that of an embedding is. ONNX Runtime's threads add to a place that occurs more than once without
    /// waiting for each other, and would lose terms.
    /// </summary>
    private static bool AddsUp(GraphSource graph) =>
        (graph.Path is { } path ? File.ReadAllBytes(path) : graph.Content!).AsSpan().IndexOf("ScatterND"u8) >= 0;

    private static SessionOptions CreateSessionOptions(OnnxEngineOptions options, bool trains, bool onOneThread, bool quantized)
    {
        SessionOptions session = new()
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            IntraOpNumThreads = onOneThread ? 1 : options.IntraOpThreads,
            InterOpNumThreads = 1,

            // Training asks for the same blocks at every step. The arena keeps them; without it the system maps, clears and unmaps them each time, which took six of seven
            // parts of a decoder's step here (38 ms with it, 255 without). One block for all, as memory patterns have it, is larger than what is alive at once.
            // An evaluation is rare and its batches are large: what the arena kept of it would stay for ever, after the convolutional model in batches of 500 on two
            // threads 411 MB instead of 130.
            EnableCpuMemArena = trains,
            EnableMemoryPattern = !trains && !quantized,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };

        // Idle threads sleep: a device has other work, and a simulator has other clients.
        session.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        session.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
        session.AddSessionConfigEntry("session.disable_prepacking", options.PackFrozenWeights ? "0" : "1");
        return session;
    }

    private static void CheckInputs(PackageManifest manifest, InferenceSession session, List<string> problems)
    {
        IReadOnlyDictionary<string, NodeMetadata> inputs = session.InputMetadata;
        CheckTensor("input", manifest.Input.Name, TypeOf(manifest.Input.ElementType), [-1, .. manifest.Input.Shape], inputs, problems);
        CheckTensor("input", PackageManifest.LabelsInput, TypeOf(manifest.Labels.ElementType), [-1, .. manifest.Labels.Shape], inputs, problems);
        HashSet<string> known = new(StringComparer.Ordinal) { manifest.Input.Name, PackageManifest.LabelsInput };
        foreach (ParameterSpec parameter in manifest.Layout.Parameters)
        {
            known.Add(parameter.Name);
            CheckTensor("input", parameter.Name, TensorElementType.Float, parameter.Shape, inputs, problems);
        }

        problems.AddRange(inputs.Keys.Where(name => !known.Contains(name)).Select(name => $"input '{name}' is not in the manifest"));
    }

    private static TensorElementType TypeOf(ElementType type) => type == ElementType.Float32 ? TensorElementType.Float : TensorElementType.Int64;

    private static void CheckTensor(
        string role,
        string name,
        TensorElementType type,
        IReadOnlyList<int> shape,
        IReadOnlyDictionary<string, NodeMetadata> tensors,
        List<string> problems)
    {
        if (!tensors.TryGetValue(name, out NodeMetadata? tensor))
        {
            problems.Add($"{role} '{name}' is missing (there are {string.Join(", ", tensors.Keys.Select(n => $"'{n}'"))})");
            return;
        }

        if (!tensor.IsTensor || tensor.ElementDataType != type)
        {
            problems.Add($"{role} '{name}' is {(tensor.IsTensor ? $"a tensor of {tensor.ElementDataType}" : "no tensor")}, not a tensor of {type}");
            return;
        }

        // −1 stands for a dimension known only at run time, on either side; a scalar may be written as one element.
        int[] found = tensor.Dimensions;
        bool scalar = shape.Count == 0 && found is [1];
        if (!scalar && (found.Length != shape.Count || found.Zip(shape).Any(pair => pair.First != pair.Second && pair.First >= 0 && pair.Second >= 0)))
        {
            problems.Add($"{role} '{name}' has shape [{string.Join(", ", found)}], the manifest says [{string.Join(", ", shape)}]");
        }
    }
}
