using Federated.Client.Session;

namespace Federated.Client.Operations;

/// <summary>Ends the agent between two rounds when its program's file was replaced, so that whoever started it starts the newer one.</summary>
/// <param name="path">The program's file.</param>
/// <param name="ended">Ends the agent.</param>
internal sealed class NewerProgram(string path, Action ended) : IBeforeCheckIn
{
    private readonly DateTime _then = File.GetLastWriteTimeUtc(path);

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> AskAsync(CancellationToken cancellationToken)
    {
        // A file that is gone for a moment is not a newer one: the time of a missing file is long past.
        if (File.Exists(path) && File.GetLastWriteTimeUtc(path) != _then)
        {
            ended();
            cancellationToken.ThrowIfCancellationRequested();
        }

        return ValueTask.FromResult<TimeSpan?>(null);
    }
}
