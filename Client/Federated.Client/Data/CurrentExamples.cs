using Federated.Training;

namespace Federated.Client.Data;

/// <summary>Whatever examples were put in last. Thread-safe; who changes them while a round trains spoils the round.</summary>
/// <param name="first">The first ones.</param>
internal sealed class CurrentExamples(IExampleSource first) : IExampleSource
{
    private volatile IExampleSource _current = first;

    /// <inheritdoc/>
    public int Count => _current.Count;

    /// <inheritdoc/>
    public ExampleFormat Format => _current.Format;

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch) => _current.CopyTo(indices, batch);

    /// <summary>Puts others in.</summary>
    public void Put(IExampleSource examples) => _current = examples;
}
