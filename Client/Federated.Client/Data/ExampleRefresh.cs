using Federated.Client.Session;
using Federated.Training.Data;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Data;

/// <summary>Reads before every check-in what was added to the folder of examples. Neither names nor contents of files are logged.</summary>
/// <param name="examples">The device's examples.</param>
/// <param name="log">A line whenever what became of the files is something else.</param>
internal sealed partial class ExampleRefresh(DeviceExamples examples, ILogger log) : IBeforeCheckIn
{
    private FolderReport? _told;
    private bool _failed;

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            _ = examples.Refresh();
            _failed = false;
        }
        catch (FormatException e)
        {
            NotSplit(log, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_failed)
            {
                string kind = e.GetType().Name;
                NotRead(log, kind, examples.Training.Count);
            }

            _failed = true;
        }

        if (examples.Report is { } report && report != _told)
        {
            _told = report;
            string counts = report.ToString();
            Read(log, report.HasProblems ? LogLevel.Warning : LogLevel.Information, counts, examples.Training.Count, examples.HeldOut.Count);
        }

        return ValueTask.FromResult<TimeSpan?>(null);
    }

    [LoggerMessage(EventId = 130, Message = "The folder of examples: {Counts}. {Training} examples to train on, {HeldOut} held out.")]
    private static partial void Read(ILogger log, LogLevel level, string counts, int training, int heldOut);

    [LoggerMessage(132, LogLevel.Warning, "The folder of examples cannot be split as --data says: {Why} Nothing is trained on until the folder or --data changes.")]
    private static partial void NotSplit(ILogger log, string why);

    [LoggerMessage(131, LogLevel.Warning, "The folder of examples cannot be read ({Kind}); training goes on with the {Training} examples read before.")]
    private static partial void NotRead(ILogger log, string kind, int training);
}
