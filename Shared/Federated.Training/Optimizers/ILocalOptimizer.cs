namespace Federated.Training.Optimizers;

/// <summary>
/// A rule that steps along a gradient. Immutable and pure: all memory of earlier steps lies in the caller's state array, so
/// that one instance serves any number of clients; thread-safe. A step allocates nothing.
/// </summary>
public interface ILocalOptimizer
{
    /// <summary>How many arrays of P floats the rule remembers between steps; all zero before the first.</summary>
    int StateArrays { get; }

    /// <summary>Takes one step in place.</summary>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="adapter">w: [P], overwritten by the new parameters.</param>
    /// <param name="gradient">g: [P]; the rule may use it as scratch, its content afterwards is undefined.</param>
    /// <param name="state">[<see cref="StateArrays"/> · P], as the previous step left it.</param>
    void Step(int step, Span<float> adapter, Span<float> gradient, Span<float> state);
}
