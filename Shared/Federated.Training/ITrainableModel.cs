using Federated.Shared.Models;

namespace Federated.Training;

/// <summary>
/// A model package loaded into an engine. One instance holds the graphs and the frozen weights once and serves any number of
/// clients; thread-safe. What a training thread needs of its own lies in a workspace.
/// </summary>
public interface ITrainableModel : IDisposable
{
    /// <summary>The package the model came from.</summary>
    PackageManifest Manifest { get; }

    /// <summary>Where each trainable tensor lies in the flat adapter.</summary>
    ParameterLayout Layout { get; }

    /// <summary>Makes the arrays and bindings one training thread needs. Rent one a thread and reuse it for client after client.</summary>
    IModelWorkspace CreateWorkspace();
}

/// <summary>
/// One thread's place to train: the flat adapter and gradient, pinned once and bound to the engine, so that a step copies nothing
/// but the batch. Not thread-safe.
/// </summary>
public interface IModelWorkspace : IDisposable
{
    /// <summary>The trainable parameters: [P]. Write them before a step; an optimizer changes them in place.</summary>
    Span<float> Adapter { get; }

    /// <summary>Gradient of the last step: [P], P as in <see cref="Adapter"/>.</summary>
    Span<float> Gradient { get; }

    /// <summary>
    /// Mean loss of the batch at the current adapter; its gradient with respect to the adapter is written to <see cref="Gradient"/>.
    /// </summary>
    /// <param name="examples">Where the batch comes from.</param>
    /// <param name="indices">[N], N at least 1.</param>
    float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices);

    /// <summary>Loss and score of the batch at the current adapter.</summary>
    /// <param name="examples">Where the batch comes from.</param>
    /// <param name="indices">[N], N at least 1.</param>
    EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices);

    /// <summary>What the model says of each example of the batch at the current adapter; labels must be allowed ones, whichever.</summary>
    /// <param name="examples">Where the batch comes from.</param>
    /// <param name="indices">[N], N at least 1.</param>
    /// <param name="scores">Receives [N · ScoresLength]: unnormalized log-probabilities of classes, numbers or vectors.</param>
    /// <exception cref="NotSupportedException">The package was made before evaluation graphs gave scores.</exception>
    void Score(IExampleSource examples, ReadOnlySpan<int> indices, Span<float> scores);
}
