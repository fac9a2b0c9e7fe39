using Federated.Simulator.Reports;
using Federated.Simulator.Runs;

namespace Federated.Simulator.CommandLine;

/// <summary>Shows nothing.</summary>
internal sealed class SilentView : IRunView
{
    /// <inheritdoc/>
    public void Opening(RunHeadline headline)
    {
    }

    /// <inheritdoc/>
    public void RoundEnded(RunProgress progress)
    {
    }

    /// <inheritdoc/>
    public ValueTask ClosingAsync(RunSummary summary, string folder) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
