using Federated.Simulator.Reports;

namespace Federated.Simulator.Runs;

/// <summary>Shows a run to a person. Disposing it ends a live display; nothing may be shown after that but the closing.</summary>
internal interface IRunView : IAsyncDisposable
{
    /// <summary>The run begins.</summary>
    void Opening(RunHeadline headline);

    /// <summary>A round has ended.</summary>
    void RoundEnded(RunProgress progress);

    /// <summary>The run is over and its results are written.</summary>
    ValueTask ClosingAsync(RunSummary summary, string folder);
}
