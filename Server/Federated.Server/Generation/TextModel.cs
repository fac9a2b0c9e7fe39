using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Shared.Models;
using Federated.Training.Engine;
using Microsoft.ML.OnnxRuntime;

namespace Federated.Server.Generation;

/// <summary>
/// A language model with its adapter merged in, opened to write text. Its graph has a fixed context: a shorter text is followed by padding, which
/// a causal model does not see, and of a longer one the model sees the end. Every token is a pass over the whole context.
/// </summary>
internal sealed class TextModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly string _input;
    private readonly int _context;

    private TextModel(InferenceSession session, PackageManifest manifest)
    {
        _session = session;
        _input = manifest.Input.Name;
        _context = manifest.Input.Shape[0];
        Vocabulary = manifest.Labels.Classes!.Value;
    }

    /// <summary>Tokens there are, V.</summary>
    public int Vocabulary { get; }

    /// <summary>Opens a package with its initial adapter.</summary>
    /// <exception cref="ArgumentException">The package is no language model over tokens, or has no graph of scores.</exception>
    public static TextModel Open(ModelPackage package)
    {
        ArgumentNullException.ThrowIfNull(package);
        PackageManifest manifest = package.Manifest;
        if (manifest.Task != ModelTask.CausalLm || manifest.Input.ElementType != ElementType.Int64 || manifest.Input.Shape.Count != 1)
        {
            throw new ArgumentException($"Package '{manifest.Name}' has the task {manifest.Task} and features [{string.Join(", ", manifest.Input.Shape)}]; only a causal-lm over tokens writes text.", nameof(package));
        }

        using Microsoft.ML.OnnxRuntime.SessionOptions options = new() { InterOpNumThreads = 1, EnableCpuMemArena = false, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        GraphFiles.Deny(options);
        return new TextModel(new InferenceSession(MergedModel.Build(package, package.InitialAdapter), options), manifest);
    }

    /// <summary>Goes on with a text.</summary>
    /// <param name="prompt">At least one token.</param>
    /// <param name="count">Tokens to write.</param>
    /// <param name="options">How each is chosen.</param>
    /// <param name="ct">Ends it between two tokens.</param>
    /// <returns>The new tokens.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, or has a token that the model does not know.</exception>
    public IReadOnlyList<int> Continue(IReadOnlyList<int> prompt, int count, SamplingOptions options, CancellationToken ct)
    {
        if (prompt.Count == 0)
        {
            throw new ArgumentException("The prompt is empty; the model needs at least one token to go on from.", nameof(prompt));
        }

        foreach (int token in prompt)
        {
            if (token < 0 || token >= Vocabulary)
            {
                throw new ArgumentException($"The prompt has token {token}; the model knows 0 to {Vocabulary - 1}. Give the model's own tokenizer with --tokenizer.", nameof(prompt));
            }
        }

        TokenSampler sampler = new(options);
        List<int> tokens = [.. prompt];
        while (tokens.Count < prompt.Count + count)
        {
            ct.ThrowIfCancellationRequested();
            tokens.Add(sampler.Next(Scores(tokens)));
        }

        return tokens[prompt.Count..];
    }

    /// <summary>Scores [V] of the token after the last.</summary>
    public float[] Scores(IReadOnlyList<int> tokens)
    {
        int seen = Math.Min(tokens.Count, _context);
        long[] window = new long[_context];
        for (int i = 0; i < seen; i++)
        {
            window[i] = tokens[tokens.Count - seen + i];
        }

        using OrtValue input = OrtValue.CreateTensorValueFromMemory(window, [1, _context]);
        using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(_run, [_input], [input], [PackageManifest.ScoresOutput]);
        return outputs[0].GetTensorDataAsSpan<float>().Slice((seen - 1) * Vocabulary, Vocabulary).ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }
}
